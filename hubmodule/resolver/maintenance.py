"""What people do to a cache: look at it, check it to the last byte, make room in it."""

from __future__ import annotations

import dataclasses
import hashlib
import posixpath
import time
from collections.abc import Callable, Iterable

from hubmodule._plain_errors import CacheError
from hubmodule.resolver import manifest as manifests
from hubmodule.resolver.cache import Cache, EntryState
from hubmodule.resolver.handles import make_cache_key
from hubmodule.resolver.manifest import FileRecord


@dataclasses.dataclass(frozen=True)
class CachedModule:
    """A module in a cache.

    Attributes:
        key: the name of its directory.
        handle: where it came from; None if nothing says it.
        path: its directory.
        size: the bytes of all its files.
        age_seconds: since it was fetched, as far as can be told.
        unused_seconds: since it was last used, as far as can be told.
        state: how it is by presence and sizes of its files.
        detail: what is wrong with it, if something is.
    """

    key: str
    handle: str | None
    path: str
    size: int
    age_seconds: float
    unused_seconds: float
    state: EntryState
    detail: str


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What reading a module to the last byte showed: nothing wrong if `problems` is empty.

    Attributes:
        module: the module.
        problems: what is wrong, by the path of the file below the module.
        checked: False if nobody knows the digests, so that only sizes were compared.
    """

    module: CachedModule
    problems: dict[str, str]
    checked: bool


@dataclasses.dataclass(frozen=True)
class Pruned:
    """What was removed, and what was not because a process uses it."""

    removed: tuple[CachedModule, ...]
    in_use: tuple[CachedModule, ...]


def list_modules(cache: Cache, clock: Callable[[], float] = time.time) -> list[CachedModule]:
    """All modules in a cache, the one used last first."""
    with cache.explain_errors():
        found = [_describe_module(cache, key, clock()) for key in cache.list_keys()]
    return sorted(found, key=lambda module: (module.unused_seconds, module.key))


def verify(cache: Cache, module: CachedModule) -> Verdict:
    """Reads all files of a module and compares their digests with those when it was fetched."""
    manifest = cache.read_manifest(module.key)
    if manifest is None:
        return Verdict(module, {"": module.detail} if module.detail else {}, checked=False)
    with cache.explain_errors():
        found = {file.path: _find_problem(cache, module.path, file) for file in manifest.files}
    problems = {path: problem for path, problem in found.items() if problem}
    checked = all(file.sha256 for file in manifest.files)
    return Verdict(module, problems, checked)


def has_whole_handle(module: CachedModule) -> bool:
    """Whether a module can be fetched by the handle that the cache noted."""
    return module.handle is not None and make_cache_key(module.handle) == module.key


def delete_damaged(cache: Cache, verdict: Verdict) -> None:
    """Removes the files that are wrong, so that the next use of the module sees the damage.

    That use fetches the module again; until then nothing else of it is lost.
    """
    with cache.explain_errors():
        for path in filter(None, verdict.problems):
            cache.file_system.remove(posixpath.join(verdict.module.path, path))


def prune(
    cache: Cache,
    older_than: float | None = None,
    max_size: int | None = None,
    dry_run: bool = False,
    clock: Callable[[], float] = time.time,
) -> Pruned:
    """Makes room: removes modules, but never one that a living process has resolved.

    Args:
        cache: a local cache.
        older_than: remove what was not used for this many seconds.
        max_size: then remove what was not used for longest, until this many bytes are left.
        dry_run: only say what would be removed.
        clock: seconds since 1970.

    Raises:
        CacheError: if the cache is on a file system where nobody can see who uses a module.
    """
    if not cache.is_local:
        raise CacheError(
            f"The cache {cache.root} is not on this machine, so nobody can tell which modules are "
            "in use. Remove directories there yourself, or set a life time on the bucket."
        )
    found = list_modules(cache, clock)
    removed: list[CachedModule] = []
    in_use: list[CachedModule] = []
    with cache.explain_errors():
        for module in _choose_to_remove(found, older_than, max_size):
            done = _is_unused(cache, module.key) if dry_run else cache.discard_unused(module.key)
            (removed if done else in_use).append(module)
        if not dry_run:
            cache.sweep_all()
    return Pruned(tuple(removed), tuple(in_use))


def _is_unused(cache: Cache, key: str) -> bool:
    with cache.claim(key) as is_unused:
        return is_unused


def _describe_module(cache: Cache, key: str, now: float) -> CachedModule:
    health = cache.check_health(key)
    last_use = cache.get_last_use(key)
    fetched = manifests.get_fetch_time(health.manifest) if health.manifest else last_use
    return CachedModule(
        key=key,
        handle=cache.read_handle(key),
        path=cache.get_path(key),
        size=sum(cache.file_system.list_sizes(cache.get_path(key)).values()),
        age_seconds=max(0.0, now - fetched),
        unused_seconds=max(0.0, now - last_use),
        state=health.state,
        detail=health.detail,
    )


def _find_problem(cache: Cache, folder: str, file: FileRecord) -> str:
    path = posixpath.join(folder, file.path)
    size = cache.file_system.get_size(path)
    if size is None:
        return f"{file.path} is missing"
    if size != file.size:
        return f"{file.path} has {size} bytes instead of {file.size}"
    if file.sha256 and _compute_digest(cache.file_system.read_pieces(path)) != file.sha256:
        return f"{file.path} has other bytes than when it was fetched"
    return ""


def _compute_digest(chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _choose_to_remove(
    found: list[CachedModule], older_than: float | None, max_size: int | None
) -> list[CachedModule]:
    """The modules to remove, those first that were not used for longest."""
    chosen, left = [], sum(module.size for module in found)
    for module in reversed(found):
        too_old = older_than is not None and module.unused_seconds > older_than
        too_much = max_size is not None and left > max_size
        if too_old or too_much:
            chosen.append(module)
            left -= module.size
    return chosen

"""Lists, verifies and prunes the modules of a cache."""

from __future__ import annotations

import contextlib
import dataclasses
import posixpath
import time
from collections.abc import Callable

from hubmodule._plain_errors import CacheError
from hubmodule.cache import manifest as manifests
from hubmodule.cache.cache import Cache, EntryState
from hubmodule.cache.manifest import FileRecord, Manifest
from hubmodule.handles import make_cache_key


@dataclasses.dataclass(frozen=True)
class CachedModule:
    """A module in a cache.

    Attributes:
        key: Name of its directory.
        handle: Handle of the module, without secrets; None if it is not known.
        path: Path of its directory.
        size: Size of all its files in bytes.
        age_seconds: Seconds since it was fetched, as far as is known.
        unused_seconds: Seconds since it was last used, as far as is known.
        state: State by the presence and sizes of its files.
        detail: What is wrong; "" if nothing is.
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
    """The result of verifying a module.

    Attributes:
        module: The module.
        problems: What is wrong, by the path of the file below the module; empty if nothing is.
        checked: False if digests are not known, so that only sizes were compared.
    """

    module: CachedModule
    problems: dict[str, str]
    checked: bool


@dataclasses.dataclass(frozen=True)
class PruneResult:
    """The result of pruning a cache.

    Attributes:
        removed: Modules that were removed.
        in_use: Modules that were kept because a process uses them.
    """

    removed: tuple[CachedModule, ...]
    in_use: tuple[CachedModule, ...]


def list_modules(cache: Cache, clock: Callable[[], float] = time.time) -> list[CachedModule]:
    """Lists the modules of a cache, beginning with the one that was used last.

    Args:
        cache: The cache.
        clock: Function that returns the time in seconds since 1970.
    """
    with cache.explain_errors():
        found = [_describe_module(cache, key, clock()) for key in cache.list_keys()]
    return sorted(found, key=lambda module: (module.unused_seconds, module.key))


def verify(cache: Cache, module: CachedModule) -> Verdict:
    """Reads all files of a module, and compares their digests with those of the manifest."""
    manifest = cache.read_manifest(module.key)
    if manifest is None:
        return Verdict(module, {"": module.detail} if module.detail else {}, checked=False)
    with cache.explain_errors():
        found = {file.path: _find_problem(cache, module.path, file) for file in manifest.files}
    problems = {path: problem for path, problem in found.items() if problem}
    checked = all(file.sha256 for file in manifest.files)
    return Verdict(module, problems, checked)


def read_digests(cache: Cache, key: str, handle: str) -> Manifest:
    """Returns the manifest of a usable module with the digests of all its files.

    The files of a module that another program cached are read, and their digests are kept.

    Args:
        cache: The cache.
        key: Key of the module.
        handle: Its handle, without secrets.
    """
    path = cache.get_path(key)
    manifest = cache.read_manifest(key) or manifests.list_files(cache.file_system, path, handle)
    if manifest.content_digest is None:
        manifest = manifests.add_digests(manifest, cache.file_system, path)
        # This user may only read the cache.
        with contextlib.suppress(OSError):
            cache.write_beside(key, manifest)
    return manifest


def has_whole_handle(module: CachedModule) -> bool:
    """Whether a module can be fetched by the handle in the cache, which lacks secrets."""
    return module.handle is not None and make_cache_key(module.handle) == module.key


def delete_damaged(cache: Cache, verdict: Verdict) -> None:
    """Removes the files that are wrong, so that the next use fetches the module again."""
    with cache.explain_errors():
        for path in filter(None, verdict.problems):
            cache.file_system.remove(posixpath.join(verdict.module.path, path))


def remove(cache: Cache, module: CachedModule) -> bool:
    """Removes a module, unless a process may use it; returns whether it was removed.

    On a file system of other machines it is removed in any case, as nothing tells its uses.
    """
    with cache.explain_errors():
        if cache.is_local:
            return cache.discard_unused(module.key)
        cache.discard(module.key)
        return True


def prune(
    cache: Cache,
    older_than: float | None = None,
    max_size: int | None = None,
    dry_run: bool = False,
    clock: Callable[[], float] = time.time,
) -> PruneResult:
    """Removes modules, except those that a running process has resolved.

    Args:
        cache: A local cache.
        older_than: Seconds; modules that were not used for longer are removed.
        max_size: Bytes; the modules that were not used for longest are removed until the rest
            has this size.
        dry_run: Whether to remove nothing, and only return what would be removed.
        clock: Function that returns the time in seconds since 1970.

    Raises:
        CacheError: If the cache is on a file system that does not tell which modules are used.
    """
    if not cache.is_local:
        raise CacheError(
            f"The cache {cache.root} is not on this machine, so it is not known which modules are "
            "in use. Remove directories there yourself, or set a life time on the bucket."
        )
    found = list_modules(cache, clock)
    removed: list[CachedModule] = []
    in_use: list[CachedModule] = []
    with cache.explain_errors():
        for module in _choose_to_remove(found, older_than, max_size):
            is_unused = cache.discard_unused(module.key, dry_run)
            (removed if is_unused else in_use).append(module)
        if not dry_run:
            cache.sweep_all()
    return PruneResult(tuple(removed), tuple(in_use))


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


def _find_problem(cache: Cache, directory: str, file: FileRecord) -> str:
    if problem := manifests.describe_damage(file, cache.file_system, directory):
        return problem
    if file.sha256 is not None:
        path = posixpath.join(directory, file.path)
        if manifests.compute_digest(cache.file_system, path) != file.sha256:
            return f"{file.path} has other bytes than when it was fetched"
    return ""


def _choose_to_remove(
    found: list[CachedModule], older_than: float | None, max_size: int | None
) -> list[CachedModule]:
    """Chooses the modules to remove, first those that were not used for longest."""
    chosen, left = [], sum(module.size for module in found)
    for module in reversed(found):
        too_old = older_than is not None and module.unused_seconds > older_than
        too_much = max_size is not None and left > max_size
        if too_old or too_much:
            chosen.append(module)
            left -= module.size
    return chosen

"""Turns a handle into a directory: makes a plan, which is a value, and carries it out.

Half of this package is needed only for downloads, and is imported when there is one.
"""

from __future__ import annotations

import difflib
import logging
import os
from dataclasses import dataclass

from hubmodule import settings as settings_
from hubmodule._plain_errors import CacheDamagedError, OfflineError
from hubmodule.file_systems import find_file_system
from hubmodule.resolver import manifest as manifests
from hubmodule.resolver import urls
from hubmodule.resolver.cache import Cache, EntryState, Health
from hubmodule.resolver.handles import (
    ArchiveHandle,
    Handle,
    PathHandle,
    WebHandle,
    check_exists,
    make_cache_key,
    needs_network,
    parse,
)
from hubmodule.resolver.manifest import Manifest
from hubmodule.settings import LoadFormat, Settings

logger = logging.getLogger("hubmodule")

_MOST_SHOWN = 10


@dataclass(frozen=True)
class UseInPlace:
    """Use the directory at a path.

    Attributes:
        path: Path of the directory on any TensorFlow file system.
    """

    path: str


@dataclass(frozen=True)
class AskServer:
    """Ask a server where the unpacked module is.

    Attributes:
        handle: Handle whose address to ask.
    """

    handle: WebHandle


@dataclass(frozen=True)
class UseCache:
    """Use a module of the cache, after fetching it where that is needed.

    Attributes:
        handle: Handle of the module, from which it is fetched.
        key: Name of its directory in the cache.
        may_fetch: Whether fetching is allowed.
    """

    handle: WebHandle | ArchiveHandle
    key: str
    may_fetch: bool


Plan = UseInPlace | AskServer | UseCache


def resolve(handle: str | os.PathLike[str]) -> str:
    """Returns the directory of a module, which it downloads first where that is needed.

    Args:
        handle: Path on any TensorFlow file system, of a directory or of an archive (.tar,
            .tar.gz, .tgz, .tar.bz2, .tar.xz), or http(s) address of a module. An archive or
            address that ends in #sha256=<hex> is only used if the archive has that digest.

    Returns:
        Path of the directory. A downloaded module is complete there, and stays until it is
        removed; a module from a local archive stays until the archive is replaced.

    Raises:
        InvalidHandleError: If the text is not a handle; also a ValueError and an OSError.
        HandleNotFoundError: If a path does not exist; also an OSError.
        HttpStatusError: If a server answers with an error; a DownloadError, and also a
            urllib.error.HTTPError.
        DownloadError: If the module cannot be downloaded; also a urllib.error.URLError.
        ArchiveError: If an archive is damaged or not safe; also an OSError and a ValueError.
        CacheError: If the cache directory cannot be used; also an OSError.
        UncompressedReadError: If TFHUB_MODEL_LOAD_FORMAT is UNCOMPRESSED, and the server
            does not support it; also a ValueError.
        TensorFlowUnavailableError: If the path is on a file system that needs TensorFlow,
            which is not installed; also an ImportError.
        SettingError: If an environment variable or flag has an invalid value; also a
            ValueError.
    """
    return resolve_with(handle, settings_.read())


def resolve_with(handle: str | os.PathLike[str], settings: Settings) -> str:
    """Resolves a handle as `resolve` does, with settings from the caller."""
    return carry_out(make_plan(parse(handle), settings), settings)


def make_plan(handle: Handle, settings: Settings) -> Plan:
    """Decides what to do, without using files or the network.

    Raises:
        OfflineError: If the network is certainly needed, and is turned off.
    """
    if isinstance(handle, PathHandle):
        _check_offline(handle.path, settings)
        return UseInPlace(handle.path)
    if isinstance(handle, ArchiveHandle):
        may_fetch = not (settings.offline and needs_network(handle.path))
        return UseCache(handle, make_cache_key(handle.text), may_fetch)
    # A pinned archive is downloaded in any case, as its digest is computed.
    if settings.load_format is LoadFormat.UNCOMPRESSED and not handle.sha256:
        _check_offline(handle.url, settings)
        return AskServer(handle)
    return UseCache(handle, make_cache_key(handle.text), not settings.offline)


def carry_out(plan: Plan, settings: Settings) -> str:
    """Carries out a plan; returns the directory of the module."""
    if isinstance(plan, UseInPlace):
        check_exists(plan.path)
        return plan.path
    if isinstance(plan, AskServer):
        from hubmodule.resolver.http import find_uncompressed
        from hubmodule.resolver.retries import Retries

        return find_uncompressed(plan.handle, settings, Retries(settings.retries))
    if isinstance(plan.handle, ArchiveHandle) and _is_directory(plan.handle):
        return plan.handle.path
    return _use_cache(plan, settings)


def _use_cache(plan: UseCache, settings: Settings) -> str:
    _check_offline(settings.cache_dir, settings)
    cache = Cache(settings.cache_dir)
    with cache.explain_errors():
        health = cache.use(plan.key, urls.redact(plan.handle.text), settings.lock_timeout)
        if cache.is_local:
            # Elsewhere it would cost a request each time, so only `_fill` does it.
            cache.sweep()
        if not health.is_usable or _is_outdated(plan, health):
            if not plan.may_fetch:
                raise _make_offline_error(plan, cache, health)
            _fill(plan, cache, settings)
    return cache.get_path(plan.key)


def _fill(plan: UseCache, cache: Cache, settings: Settings) -> None:
    """Fetches what is missing or damaged, unless another process has done so meanwhile."""
    from hubmodule.resolver.fetch import fetch

    name = urls.redact(plan.handle.text)
    cache.prepare()
    cache.mark_used(plan.key, name, settings.lock_timeout, again=True)
    with cache.lock(plan.key, settings.lock_timeout, name):
        cache.sweep()
        cache.sweep_foreign(plan.key)
        health = cache.check_health(plan.key)
        outdated = _is_outdated(plan, health)
        if health.is_usable and not outdated:
            return
        if outdated:
            logger.info("%s has changed; unpacking it again.", name)
        elif health.state is not EntryState.MISSING:
            logger.warning(
                "%s of %s is damaged (%s); fetching it again.",
                cache.get_path(plan.key),
                name,
                health.detail,
            )
        source = get_fingerprint(plan.handle)
        with cache.make_temporary_directory(plan.key) as directory:
            records = fetch(plan.handle, settings, cache.file_system, directory)
            if outdated:
                cache.discard(plan.key)
            manifest = Manifest(name, manifests.get_time(), tuple(records), source)
            cache.publish(plan.key, directory, manifest)


def get_fingerprint(handle: WebHandle | ArchiveHandle) -> str:
    """Returns the fingerprint of a local archive; "" if it is remote, missing or pinned."""
    if not isinstance(handle, ArchiveHandle) or handle.sha256 or needs_network(handle.path):
        return ""
    file_system, path = find_file_system(handle.path)
    return file_system.get_fingerprint(path)


def _is_directory(handle: ArchiveHandle) -> bool:
    """Whether a directory of a module has a name like that of an archive."""
    if handle.sha256 or needs_network(handle.path):
        return False
    file_system, path = find_file_system(handle.path)
    return file_system.is_directory(path)


def _is_outdated(plan: UseCache, health: Health) -> bool:
    """Whether a cached module was unpacked from an archive that has been replaced."""
    if not health.is_usable or health.manifest is None or not health.manifest.source:
        return False
    return get_fingerprint(plan.handle) not in ("", health.manifest.source)


def _check_offline(path: str, settings: Settings) -> None:
    if settings.offline and needs_network(path):
        raise OfflineError(
            f"{urls.redact(path)} is on the network, which HUBMODULE_OFFLINE turns off. Unset "
            "it, or use a local copy.",
            urls.redact(path),
        )


def _make_offline_error(plan: UseCache, cache: Cache, health: Health) -> Exception:
    name = urls.redact(plan.handle.text)
    if health.state is not EntryState.MISSING:
        whole = f"'{name}'" if name == plan.handle.text else "HANDLE"
        return CacheDamagedError(
            f"{cache.get_path(plan.key)} of {name} is damaged: {health.detail}. It cannot be "
            "fetched again while HUBMODULE_OFFLINE is set. To repair it, run where there is a "
            f"network:\n    HUBMODULE_OFFLINE=0 python -m hubmodule resolve {whole}"
        )
    return OfflineError(
        f"{name} is not in the cache {cache.root}, and HUBMODULE_OFFLINE is set. "
        f"{_describe_cached(name, cache)}"
    )


def _describe_cached(name: str, cache: Cache) -> str:
    cached = sorted({handle for key in cache.list_keys() if (handle := cache.read_handle(key))})
    if not cached:
        return "Nothing is cached. Unset HUBMODULE_OFFLINE to fetch it."
    alike = difflib.get_close_matches(name, cached, _MOST_SHOWN, cutoff=0.0)
    lines = "".join(f"\n    {handle}" for handle in alike)
    rest = len(cached) - len(alike)
    more = f"\n    and {rest} more: python -m hubmodule cache list" if rest else ""
    return f"Unset it to fetch the module, or use what is cached:{lines}{more}"

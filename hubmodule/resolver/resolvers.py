"""Turns a handle into a directory: makes a plan, which is a value, and carries it out.

Half of this package is needed only for downloads, and is imported when there is one.
"""

from __future__ import annotations

import dataclasses
import difflib
import logging
import os
from dataclasses import dataclass

from hubmodule import settings as settings_
from hubmodule import urls
from hubmodule._plain_errors import CacheDamagedError, LockError, OfflineError
from hubmodule.cache.cache import Cache, EntryState, Health
from hubmodule.cache.manifest import Manifest
from hubmodule.file_systems import find_file_system
from hubmodule.handles import (
    ArchiveHandle,
    Handle,
    PathHandle,
    WebHandle,
    check_exists,
    make_cache_key,
    needs_network,
    parse,
)
from hubmodule.resolver import lock_file
from hubmodule.resolver.mirrors import Place, find_places, parse_mirrors, try_each
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
        places: Addresses to ask, in this order.
    """

    places: tuple[WebHandle, ...]


@dataclass(frozen=True)
class UseCache:
    """Use a module of the cache, after fetching it where that is needed.

    Attributes:
        handle: Handle of the module.
        key: Name of its directory in the cache.
        places: Where to fetch it from, in this order; none if fetching is not allowed.
    """

    handle: Handle
    key: str
    places: tuple[Place, ...]


Plan = UseInPlace | AskServer | UseCache


def resolve(handle: str | os.PathLike[str]) -> str:
    """Returns the directory of a module, which it downloads first where that is needed.

        >>> hub.resolve("modules/text")  # a directory is used in place
        'modules/text'

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
        LockError: If HUBMODULE_LOCK names a lock file that has other content for the module, or
            none; also an OSError and a ValueError.
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
        LockError: If a lock is set, and a directory on the network would be used in place.
    """
    mirrors = parse_mirrors(settings.mirrors) if settings.mirrors else ()
    places = find_places(handle, mirrors) if mirrors else None
    if places is None:
        if isinstance(handle, PathHandle):
            _check_in_place(handle.path, settings)
            return UseInPlace(handle.path)
        places = (handle,)
    # A pinned archive is downloaded in any case, as its digest is computed.
    if settings.load_format is LoadFormat.UNCOMPRESSED:
        servers = tuple(place for place in places if isinstance(place, WebHandle))
        if servers == places and not places[0].sha256:
            _check_in_place(servers[0].url, settings)
            return AskServer(servers)
    if settings.offline:
        places = tuple(place for place in places if not _is_on_network(place))
    return UseCache(handle, make_cache_key(handle.text), places)


def carry_out(plan: Plan, settings: Settings) -> str:
    """Carries out a plan; returns the directory of the module."""
    if isinstance(plan, UseInPlace):
        check_exists(plan.path)
        return plan.path
    if isinstance(plan, AskServer):
        from hubmodule.downloads.http import find_uncompressed
        from hubmodule.downloads.retries import Retries

        name = urls.redact(plan.places[0].text)
        return try_each(
            name,
            plan.places,
            lambda place: find_uncompressed(place, settings, Retries(settings.retries)),
        )
    path = get_path_in_place(plan)
    return _use_cache(plan, settings) if path is None else path


def _use_cache(plan: UseCache, settings: Settings) -> str:
    _check_offline(settings.cache_dir, settings)
    if settings.lock:
        lock_file.find_digest(settings.lock, plan.handle.text)
    cache = Cache(settings.cache_dir)
    with cache.explain_errors():
        health = cache.use(plan.key, urls.redact(plan.handle.text), settings.lock_timeout)
        if cache.is_local:
            # Elsewhere it would cost a request each time, so only `_fill` does it.
            cache.sweep()
        if not health.is_usable or _is_outdated(plan, health):
            if not plan.places:
                raise _make_offline_error(plan, cache, health)
            _fill(plan, cache, settings)
        if settings.lock:
            # Also what was fetched: another process without a lock may have been faster.
            _check_cached_lock(plan, cache, settings)
    return cache.get_path(plan.key)


def _fill(plan: UseCache, cache: Cache, settings: Settings) -> None:
    """Fetches what is missing or damaged, unless another process has done so meanwhile."""
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
        with cache.make_temporary_directory(plan.key) as directory:
            manifest = fetch_into(directory, plan, cache, settings)
            if not outdated:
                _warn_of_other_content(name, health.manifest, manifest)
            else:
                cache.discard(plan.key)
            cache.publish(plan.key, directory, manifest)


def fetch_into(
    directory: str, plan: UseCache, cache: Cache, settings: Settings, known: Manifest | None = None
) -> Manifest:
    """Fetches a module from the first of its places that has it.

    Args:
        directory: Directory that `Cache.make_temporary_directory` made.
        plan: What to fetch, with at least one place.
        cache: The cache.
        settings: Settings of the download, and the lock file.
        known: Manifest of a module that need not be sent again; None if there is none.

    Raises:
        HubModuleError: If no place has the module, or not the one of the lock file.
        NotModified: If the first place says that it is the known one.
    """
    from hubmodule.resolver.fetch import fetch

    source = get_fingerprint(plan.handle)

    def fetch_from(place: Place) -> Manifest:
        manifest = fetch(place, settings, cache.file_system, directory, known)
        _check_lock(plan, settings, manifest, manifest.address)
        return dataclasses.replace(manifest, source=source)

    return try_each(urls.redact(plan.handle.text), plan.places, fetch_from)


def _check_cached_lock(plan: UseCache, cache: Cache, settings: Settings) -> None:
    manifest = cache.read_manifest(plan.key)
    if manifest is None or manifest.content_digest is None:
        from hubmodule.cache.maintenance import read_digests

        manifest = read_digests(cache, plan.key, urls.redact(plan.handle.text))
    _check_lock(plan, settings, manifest, f"the cache {cache.root}")


def _check_lock(plan: UseCache, settings: Settings, manifest: Manifest, where: str) -> None:
    if settings.lock:
        digest = manifest.content_digest or ""
        lock_file.check_digest(settings.lock, plan.handle.text, digest, where)


def _warn_of_other_content(name: str, old: Manifest | None, new: Manifest) -> None:
    if old is not None and old.content_digest not in (None, new.content_digest):
        logger.warning(
            "%s has other content than the damaged copy, which was fetched on %s from %s.",
            name,
            old.fetched,
            old.address or "an address that is not known",
        )


def get_fingerprint(handle: Handle) -> str:
    """Returns the fingerprint of a local archive; "" if it is remote, missing or pinned."""
    if not isinstance(handle, ArchiveHandle) or handle.sha256 or needs_network(handle.path):
        return ""
    file_system, path = find_file_system(handle.path)
    return file_system.get_fingerprint(path)


def get_path_in_place(plan: UseCache) -> str | None:
    """Returns the path of a directory whose name is like that of an archive; None for others."""
    handle = plan.handle
    if not isinstance(handle, ArchiveHandle) or handle.sha256 or needs_network(handle.path):
        return None
    file_system, path = find_file_system(handle.path)
    return handle.path if file_system.is_directory(path) else None


def _is_outdated(plan: UseCache, health: Health) -> bool:
    """Whether a cached module was unpacked from an archive that has been replaced."""
    if not health.is_usable or health.manifest is None or not health.manifest.source:
        return False
    return get_fingerprint(plan.handle) not in ("", health.manifest.source)


def _is_on_network(place: Place) -> bool:
    return isinstance(place, WebHandle) or needs_network(place.path)


def _check_in_place(path: str, settings: Settings) -> None:
    """Checks that what is used in place is not excluded by the settings."""
    _check_offline(path, settings)
    if settings.lock and needs_network(path):
        raise LockError(
            f"{urls.redact(path)} would be read in place, where HUBMODULE_LOCK cannot check it. "
            "Use the handle of an archive, which is fetched into the cache, or unset "
            "HUBMODULE_LOCK."
        )


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

"""Turns a handle into a directory: first a plan, which is a value, then what it says.

What only a download needs is imported when there is one: that is half of this package.
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
    make_cache_key,
    needs_network,
    parse,
)
from hubmodule.resolver.manifest import Manifest
from hubmodule.resolver.sources import check_exists, get_fingerprint
from hubmodule.settings import LoadFormat, Settings

logger = logging.getLogger("hubmodule")

_MOST_SHOWN = 10


@dataclass(frozen=True)
class UseInPlace:
    """The directory is where the handle says."""

    path: str


@dataclass(frozen=True)
class AskWhere:
    """A server knows where the unpacked module is."""

    handle: WebHandle


@dataclass(frozen=True)
class UseCache:
    """The module is in the cache under `key`, or is to be fetched into it.

    Attributes:
        handle: what to fetch.
        key: the name of the directory.
        may_fetch: whether fetching is allowed.
    """

    handle: WebHandle | ArchiveHandle
    key: str
    may_fetch: bool


Plan = UseInPlace | AskWhere | UseCache


def resolve(handle: str | os.PathLike[str]) -> str:
    """The directory of the module that a handle stands for, downloaded if need be.

    Args:
        handle: a path on any TensorFlow file system, of a directory or of an archive
            (.tar, .tar.gz, .tgz, .tar.bz2, .tar.xz), or an http(s) address of a module.
            An archive or address that ends in #sha256=<hex> is only used if the archive
            has that digest.

    Returns:
        The path of a directory. What was downloaded is complete there, and stays until
        somebody removes it; that of a local archive until another one is at its path.

    Raises:
        InvalidHandleError: (a ValueError and an OSError) if it is no handle.
        HandleNotFoundError: (an OSError) if a path does not exist.
        DownloadError: (a urllib.error.URLError) if it cannot be downloaded; an
            HttpStatusError (a urllib.error.HTTPError) if a server says so.
        ArchiveError: (an OSError and a ValueError) if an archive is damaged or not safe.
        CacheError: (an OSError) if the cache directory cannot be used.
        UncompressedReadError: (a ValueError) if TFHUB_MODEL_LOAD_FORMAT is UNCOMPRESSED
            and the server does not support it.
        SettingError: (a ValueError) if an environment variable or flag means nothing.
    """
    return resolve_with(handle, settings_.current())


def resolve_with(handle: str | os.PathLike[str], settings: Settings) -> str:
    """Like `resolve`, with settings of the caller's."""
    return carry_out(make_plan(parse(handle), settings), settings)


def make_plan(handle: Handle, settings: Settings) -> Plan:
    """Decides what to do, without looking at any file or network.

    Raises:
        OfflineError: if the network would be needed for certain, and is switched off.
    """
    if isinstance(handle, PathHandle):
        _check_offline(handle.path, settings)
        return UseInPlace(handle.path)
    if isinstance(handle, ArchiveHandle):
        may_fetch = not (settings.offline and needs_network(handle.path))
        return UseCache(handle, make_cache_key(handle.text), may_fetch)
    # What is pinned has to be looked at, so it is downloaded in any case.
    if settings.load_format is LoadFormat.UNCOMPRESSED and not handle.sha256:
        _check_offline(handle.url, settings)
        return AskWhere(handle)
    return UseCache(handle, make_cache_key(handle.text), not settings.offline)


def carry_out(plan: Plan, settings: Settings) -> str:
    """Does what a plan says, and returns the directory."""
    if isinstance(plan, UseInPlace):
        check_exists(plan.path)
        return plan.path
    if isinstance(plan, AskWhere):
        from hubmodule.resolver.http import find_uncompressed
        from hubmodule.resolver.retries import Retries

        return find_uncompressed(plan.handle, settings, Retries(settings.retries))
    if isinstance(plan.handle, ArchiveHandle) and _is_directory(plan.handle):
        return plan.handle.path
    return _through_cache(plan, settings)


def _is_directory(handle: ArchiveHandle) -> bool:
    """Whether what is named like an archive is a module's directory."""
    if handle.sha256 or needs_network(handle.path):
        return False
    file_system, path = find_file_system(handle.path)
    return file_system.is_directory(path)


def _through_cache(plan: UseCache, settings: Settings) -> str:
    _check_offline(settings.cache_dir, settings)
    cache = Cache(settings.cache_dir)
    with cache.explain_errors():
        health = cache.use(plan.key, urls.redact(plan.handle.text))
        if cache.is_local:
            # Elsewhere it would cost a request each time, and is done when something is fetched.
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
    cache.mark_used(plan.key, again=True)
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
        with cache.new_directory(plan.key) as directory:
            records = fetch(plan.handle, settings, cache.file_system, directory)
            if outdated:
                cache.discard(plan.key)
            manifest = Manifest(name, manifests.get_time(), tuple(records), source)
            cache.publish(plan.key, directory, manifest)


def _is_outdated(plan: UseCache, health: Health) -> bool:
    """Whether a cached module was unpacked from an earlier archive than the one that is there."""
    if not health.is_usable or health.manifest is None or not health.manifest.source:
        return False
    return get_fingerprint(plan.handle) not in ("", health.manifest.source)


def _check_offline(path: str, settings: Settings) -> None:
    if settings.offline and needs_network(path):
        raise OfflineError(
            f"{urls.redact(path)} is on the network, which HUBMODULE_OFFLINE switches off. Unset "
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

"""Fetches cached modules again: to see whether they have changed, or to repair them."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import os
from collections.abc import Iterator

from hubmodule import urls
from hubmodule._plain_errors import CacheDamagedError, CacheError, OfflineError
from hubmodule.cache.cache import Cache, EntryState, Health
from hubmodule.cache.maintenance import read_digests
from hubmodule.cache.manifest import Manifest
from hubmodule.downloads.http import NotModified
from hubmodule.handles import parse
from hubmodule.resolver.resolvers import (
    UseCache,
    carry_out,
    fetch_into,
    get_path_in_place,
    make_plan,
)
from hubmodule.settings import Settings


class Change(enum.Enum):
    """What fetching a module again has changed in the cache."""

    FETCHED = "fetched"  # it was not in the cache
    UNCHANGED = "unchanged"
    REPLACED = "new content"
    IN_PLACE = "used in place"  # the cache does not hold such handles


@dataclasses.dataclass(frozen=True)
class Refreshed:
    """The result of fetching a module again.

    Attributes:
        path: Path of its directory.
        change: What has changed.
        was_known: Whether the digests of the earlier content were known.
    """

    path: str
    change: Change
    was_known: bool = True


def refresh(handle: str | os.PathLike[str], settings: Settings) -> Refreshed:
    """Fetches a module again if what its handle leads to has changed.

    A server is asked with the ETag of the archive in the cache, where it is known.

    Raises:
        CacheError: If another process uses the module that would be replaced.
        OfflineError: If the network is needed, and is turned off.
        HubModuleError: As `resolvers.resolve` raises them.
    """
    return _fetch_again(handle, settings, is_repair=False)


def repair(handle: str, settings: Settings) -> Refreshed:
    """Fetches a damaged module again, and replaces it only by the same content.

    Raises:
        CacheDamagedError: If the handle now leads to other content.
        HubModuleError: As `resolvers.resolve` raises them.
    """
    return _fetch_again(handle, settings, is_repair=True)


def _fetch_again(handle: str | os.PathLike[str], settings: Settings, is_repair: bool) -> Refreshed:
    plan = make_plan(parse(handle), settings)
    if not isinstance(plan, UseCache) or get_path_in_place(plan) is not None:
        return Refreshed(carry_out(plan, settings), Change.IN_PLACE)
    name = urls.redact(plan.handle.text)
    if not plan.places:
        raise OfflineError(f"{name} cannot be fetched again while HUBMODULE_OFFLINE is set.")
    cache = Cache(settings.cache_dir)
    path = cache.get_path(plan.key)
    with cache.explain_errors():
        cache.prepare()
        with (
            cache.lock(plan.key, settings.lock_timeout, name),
            cache.make_temporary_directory(plan.key) as directory,
        ):
            health = cache.check_health(plan.key)
            old = _find_manifest(cache, plan.key, name, health)
            is_known = health.is_usable and not is_repair
            try:
                new = fetch_into(directory, plan, cache, settings, old if is_known else None)
            except NotModified:
                return Refreshed(path, Change.UNCHANGED)
            old_digest = old.content_digest if old is not None else None
            is_same = old_digest == new.content_digest
            if is_repair and old is not None and old_digest is not None and not is_same:
                raise _make_changed_error(name, path, old, new)
            if is_same and is_known:
                cache.write_beside(plan.key, new)
                return Refreshed(path, Change.UNCHANGED)
            with _replacing(cache, plan.key, name, is_needed=is_known):
                cache.discard(plan.key)
                cache.publish(plan.key, directory, new)
    if health.state is EntryState.MISSING:
        return Refreshed(path, Change.FETCHED)
    change = Change.UNCHANGED if is_same else Change.REPLACED
    return Refreshed(path, change, was_known=old_digest is not None)


def _find_manifest(cache: Cache, key: str, name: str, health: Health) -> Manifest | None:
    """Returns the manifest of a module, with digests if it is complete; None if it has none."""
    return read_digests(cache, key, name) if health.is_usable else health.manifest


@contextlib.contextmanager
def _replacing(cache: Cache, key: str, name: str, is_needed: bool) -> Iterator[None]:
    """Keeps other processes from using a module that is replaced while the block runs.

    Args:
        cache: The cache.
        key: Key of the module.
        name: Its handle, without secrets.
        is_needed: Whether it may be in use; a damaged module is not worth the wait.
    """
    if not cache.is_local or not is_needed:
        yield
        return
    with cache.claim(key) as is_unused:
        if not is_unused:
            raise CacheError(
                f"{name} has changed, but a running process uses the content in the cache, "
                f"{cache.get_path(key)}. Refresh it when that process has ended."
            )
        yield


def _make_changed_error(name: str, path: str, old: Manifest, new: Manifest) -> CacheDamagedError:
    return CacheDamagedError(
        f"{path} of {name} is damaged, and {new.address} now has other content: "
        f"{new.content_digest} instead of {old.content_digest}, which was fetched on "
        f"{old.fetched}. It was not installed. If you trust it: python -m hubmodule resolve "
        f"--refresh {name}"
    )

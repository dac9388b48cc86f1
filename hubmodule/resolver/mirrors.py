"""Finds the places that a handle is fetched from: those of a mirror, or its own.

    https://tfhub.dev/=https://hub.example.com/|/mnt/modules/    two places, tried in this order

The handle stays the identity of the module: its key in the cache, and its name in a lock.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
import re
import urllib.parse
from collections.abc import Callable, Sequence
from typing import TypeVar

from hubmodule import files, urls
from hubmodule._plain_errors import (
    CacheError,
    DownloadError,
    HandleNotFoundError,
    HubModuleError,
    InvalidHandleError,
    LockError,
    SettingError,
)
from hubmodule.file_systems import find_file_system
from hubmodule.handles import (
    ARCHIVE_SUFFIXES,
    ArchiveHandle,
    Handle,
    PathHandle,
    WebHandle,
    make_unreadable_error,
)

logger = logging.getLogger("hubmodule")

_P = TypeVar("_P")
_T = TypeVar("_T")
# In the layout of a hub, <publisher>/<name>/<version>/module.tar.gz.
_HUB_ARCHIVE = "module.tar.gz"
_MARKERS = ("saved_model.pb", "saved_model.pbtxt")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s|=]+")


@dataclasses.dataclass(frozen=True)
class Mirror:
    """A rule of HUBMODULE_MIRRORS.

    Attributes:
        prefix: Beginning of the handles that it is for.
        places: Addresses or directories that take the place of the prefix, in order.
    """

    prefix: str
    places: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class StorePath:
    """A path below a mirror's directory, where a module or an archive of it may be.

    Attributes:
        text: Handle of the module.
        path: Path on any TensorFlow file system, without the suffix of an archive.
        sha256: Pinned digest of the archive in lower case; None without a pin.
    """

    text: str
    path: str
    sha256: str | None = None


Place = WebHandle | ArchiveHandle | StorePath


def try_each(name: str, places: Sequence[_P], use: Callable[[_P], _T]) -> _T:
    """Returns what `use` returns for the first place for which it does not fail.

    Args:
        name: Handle of the module, without secrets.
        places: The places, at least one.
        use: Function to call with a place.

    Raises:
        HubModuleError: If all fail: the error of a single place, else a DownloadError that
            lists the errors of all, or a LockError if one of them is.
    """
    errors: list[HubModuleError] = []
    for place in places:
        try:
            return use(place)
        except (CacheError, SettingError):
            raise
        except HubModuleError as error:
            if len(places) == 1:
                raise
            errors.append(error)
            if place is not places[-1]:
                logger.info("%s Trying the next place of HUBMODULE_MIRRORS.", error)
    kind = LockError if any(isinstance(error, LockError) for error in errors) else DownloadError
    lines = "".join(f"\n    {error}" for error in errors)
    raise kind(f"Cannot fetch {name} from any place of HUBMODULE_MIRRORS:{lines}")


@functools.lru_cache(maxsize=8)
def parse_mirrors(text: str) -> tuple[Mirror, ...]:
    """Parses the rules of HUBMODULE_MIRRORS; returns those with the longest prefixes first.

    Raises:
        SettingError: if a rule is not `PREFIX=PLACE|PLACE`, or two have the same prefix.
    """
    mirrors = [_parse_mirror(rule) for rule in text.split()]
    prefixes = [mirror.prefix for mirror in mirrors]
    for prefix in prefixes:
        if prefixes.count(prefix) > 1:
            raise SettingError(
                f"HUBMODULE_MIRRORS has two rules for {urls.redact(prefix)}. Write its places "
                "into one, with | between them."
            )
    return tuple(sorted(mirrors, key=lambda mirror: len(mirror.prefix), reverse=True))


def find_places(handle: Handle, mirrors: tuple[Mirror, ...]) -> tuple[Place, ...] | None:
    """Returns where a mirror has a handle, in order; None if no mirror is for it.

    User names, passwords and queries of the handle are not sent to a mirror.

    Raises:
        InvalidHandleError: if the handle leads out of the places.
    """
    address = urls.remove_user(handle.text if isinstance(handle, PathHandle) else _get_path(handle))
    for mirror in mirrors:
        rest = address.removeprefix(mirror.prefix)
        ends_whole = mirror.prefix.endswith("/") or rest[:1] in ("", "/", "?")
        if address.startswith(mirror.prefix) and ends_whole:
            sha256 = None if isinstance(handle, PathHandle) else handle.sha256
            rest = rest.partition("?")[0].lstrip("/")
            if rest and not files.is_inside(rest):
                raise InvalidHandleError(
                    f"The handle {urls.redact(handle.text)!r} has a '..', which leaves the places "
                    "of HUBMODULE_MIRRORS."
                )
            return tuple(_make_place(handle.text, place, rest, sha256) for place in mirror.places)
    return None


def locate(store: StorePath) -> ArchiveHandle | PathHandle:
    """Finds the archive or the directory of a module in a mirror's directory.

    Raises:
        HandleNotFoundError: if there is neither, or it cannot be read.
        TensorFlowUnavailableError: if the directory is on a file system that needs TensorFlow,
            which is not installed.
    """
    file_system, path = find_file_system(store.path)
    archives = [f"{path}/{_HUB_ARCHIVE}", *(f"{path}{suffix}" for suffix in ARCHIVE_SUFFIXES)]
    if path.endswith(ARCHIVE_SUFFIXES):
        archives.insert(0, path)
    try:
        for archive in archives:
            if file_system.get_size(archive) is not None:
                return ArchiveHandle(store.text, archive, store.sha256)
        is_module = any(file_system.get_size(f"{path}/{marker}") is not None for marker in _MARKERS)
    except OSError as error:
        raise make_unreadable_error(store.path, error) from error
    if not is_module:
        raise HandleNotFoundError(
            f"{path} is not there, or is neither a module nor an archive of one; looked for "
            f"{_HUB_ARCHIVE} and saved_model.pb in it, and for {', '.join(ARCHIVE_SUFFIXES)}."
        )
    if store.sha256:
        raise HandleNotFoundError(
            f"{path} is a directory, and #sha256= pins an archive. Put the archive beside it."
        )
    return PathHandle(store.text, path)


def _parse_mirror(rule: str) -> Mirror:
    prefix, _, places = rule.partition("=")
    if not _ADDRESS.fullmatch(prefix) or not all(places.split("|")):
        raise SettingError(
            f"HUBMODULE_MIRRORS has the rule {urls.redact_all(rule)!r}, which is not "
            "PREFIX=PLACE or PREFIX=PLACE|PLACE. An example: "
            "https://tfhub.dev/=https://hub.example.com/|/mnt/modules/"
        )
    for place in places.split("|"):
        _check_place(place)
    return Mirror(prefix, tuple(places.split("|")))


def _check_place(place: str) -> None:
    if not urls.is_web(place):
        return
    try:
        parts = urllib.parse.urlsplit(place)
        is_valid = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_valid = False
    if not is_valid or "#" in place:
        raise SettingError(
            f"HUBMODULE_MIRRORS has the place {urls.redact_all(place)!r}, which is not a valid "
            "address. An address is https://host/path, without a #."
        )


def _get_path(handle: WebHandle | ArchiveHandle) -> str:
    """Returns a handle without its pin."""
    return handle.url if isinstance(handle, WebHandle) else handle.path


def _make_place(text: str, place: str, rest: str, sha256: str | None) -> Place:
    if urls.is_web(place):
        parts = urllib.parse.urlsplit(place)
        path = f"{parts.path.rstrip('/')}/{rest}" if rest else parts.path
        return WebHandle(text, parts._replace(path=path).geturl(), sha256)
    directory = os.path.expanduser(place)
    return StorePath(text, f"{directory.rstrip('/')}/{rest}" if rest else directory, sha256)

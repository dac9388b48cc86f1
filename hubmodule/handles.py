"""Parses handles: the text that a user wrote becomes a frozen value.

    a path                    gs://bucket/module          PathHandle      used in place
    an archive on a path      gs://bucket/module.tar.gz   ArchiveHandle   unpacked into the cache
    an address                https://tfhub.dev/a/b/1     WebHandle       fetched into the cache

The last two may end in `#sha256=<64 hexadecimal digits>`, which pins the archive.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import re
import urllib.parse
from collections.abc import Callable, Iterable

from hubmodule import urls
from hubmodule._plain_errors import HandleNotFoundError, InvalidHandleError
from hubmodule.file_systems import find_file_system, list_schemes

ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

_UNDERSTOOD = (
    "Understood are http:// and https:// addresses of modules or archives, paths of directories "
    "and of .tar, .tar.gz, .tgz, .tar.bz2 or .tar.xz archives, and the same on {schemes}."
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://")
# "https:/h", "https//h" and "https:://h", but not a path such as "http/m".
_TYPO = re.compile(r"(https?)(?::/?(?![/:])|//|::+/*)(.+)", re.IGNORECASE)
_PIN = re.compile(r"sha256=([0-9a-fA-F]{64})")
_PIN_ADVICE = "A pin is #sha256= and 64 hexadecimal digits; remove everything else after the #."
_HUBS = ("tfhub.dev/", "www.kaggle.com/models/", "kaggle.com/models/")


@dataclasses.dataclass(frozen=True)
class PathHandle:
    """A directory on any TensorFlow file system, used in place.

    Attributes:
        text: Handle as the user wrote it.
        path: Path of the directory.
    """

    text: str
    path: str


@dataclasses.dataclass(frozen=True)
class ArchiveHandle:
    """An archive on any TensorFlow file system, unpacked into the cache.

    Attributes:
        text: Handle with an absolute path.
        path: Path as the user wrote it, without the pin.
        sha256: Pinned digest of the archive in lower case; None without a pin.
    """

    text: str
    path: str
    sha256: str | None = None


@dataclasses.dataclass(frozen=True)
class WebHandle:
    """An address of an archive, or of a server that says where the unpacked module is.

    Attributes:
        text: Handle as the user wrote it.
        url: Address without the pin.
        sha256: Pinned digest of the archive in lower case; None without a pin.
    """

    text: str
    url: str
    sha256: str | None = None


Handle = PathHandle | ArchiveHandle | WebHandle


def make_cache_key(text: str) -> str:
    """Makes the name of a handle's directory in the cache, as tensorflow_hub does."""
    return hashlib.sha1(text.encode()).hexdigest()


def parse(
    text: str | os.PathLike[str], schemes: Callable[[], Iterable[str]] | None = None
) -> Handle:
    """Parses a handle.

    Args:
        text: Path or address; a path object is a path.
        schemes: Function that returns the schemes of the file systems, e.g. "gs"; None asks
            TensorFlow.

    Raises:
        InvalidHandleError: If it is not a string, has an unknown scheme, or is not a valid
            address or pin.
        TensorFlowUnavailableError: If the scheme needs TensorFlow, which is not installed.
    """
    if isinstance(text, os.PathLike):
        text = os.fspath(text)
    if not isinstance(text, str):
        raise InvalidHandleError(
            f"A handle must be a string, a path or an address, not a {type(text).__name__}: "
            f"{text!r}."
        )
    if not text.strip():
        raise InvalidHandleError(f"The handle {text!r} is empty; give a path or an address.")
    scheme = _SCHEME.match(text)
    if scheme is None:
        _check_typo(text)
        return _parse_path(text)
    if scheme[1].lower() in ("http", "https"):
        return _parse_web(text)
    if scheme[1] != "file":
        _check_scheme(text, scheme[1], sorted(schemes() if schemes else list_schemes(text)))
    return _parse_path(text)


def needs_network(path: str) -> bool:
    """Whether a path is on a file system of another machine."""
    scheme = _SCHEME.match(path)
    return scheme is not None and scheme[1] not in ("file", "ram")


def _describe_missing(path: str) -> str:
    """Describes what to do about a path that does not exist."""
    if path != path.strip():
        return "There is a space around it; remove that."
    if path.startswith(_HUBS):
        return f"Did you mean https://{path}?"
    if "#sha256" in path:
        return _PIN_ADVICE
    if path.startswith("~"):
        return f"Did you mean {os.path.expanduser(path)}?"
    return "Check the path; a module on the web needs its whole address, https://…"


def check_exists(path: str) -> None:
    """Checks that a file or directory exists.

    Raises:
        HandleNotFoundError: If it does not exist, or its file system cannot tell.
        TensorFlowUnavailableError: If its file system needs TensorFlow, which is missing.
    """
    file_system, found = find_file_system(path)
    try:
        exists = file_system.exists(found)
    except OSError as error:
        raise make_unreadable_error(path, error) from error
    if not exists:
        raise HandleNotFoundError(f"{_redact(path)} does not exist. {_describe_missing(path)}")


def make_unreadable_error(path: str, error: OSError) -> HandleNotFoundError:
    """Makes the error for a file that exists, or may exist, but cannot be read."""
    reason = " ".join((error.strerror or str(error)).removeprefix(f"{path}: ").split())
    advice = "the credentials and the network" if needs_network(path) else "its permissions"
    return HandleNotFoundError(f"{path} cannot be read: {reason.rstrip('.')}. Check {advice}.")


def _check_typo(text: str) -> None:
    typo = _TYPO.fullmatch(text)
    if typo:
        raise InvalidHandleError(
            f"The handle {_redact(text)!r} is not an address; did you mean "
            f"{_redact(f'{typo[1]}://' + typo[2].lstrip('/'))}?"
        )


def _parse_path(text: str) -> Handle:
    path, pin = _split_pin(text)
    if path.endswith(ARCHIVE_SUFFIXES):
        _check_text(text)
        return ArchiveHandle(_make_absolute(text), path, pin)
    if pin:
        raise InvalidHandleError(
            f"The handle {text!r} pins a directory, and only archives can be pinned with #sha256=. "
            f"Use {path!r}, or the archive of the module."
        )
    return PathHandle(text, path)


def _redact(text: str) -> str:
    """Removes secrets from a text that may not be a valid address."""
    return urls.redact_all(text.partition("?")[0])


def _make_absolute(text: str) -> str:
    """Makes a handle that means the same in any working directory."""
    # os.path.abspath would take "file://" apart.
    return text if _SCHEME.match(text) else os.path.join(os.getcwd(), text)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidHandleError(
            f"The handle {_redact(text)!r} cannot be written as UTF-8, so the cache cannot name "
            "it; rename the file."
        ) from None


@functools.lru_cache(maxsize=128)
def _parse_web(text: str) -> WebHandle:
    _check_text(text)
    try:
        parts = urllib.parse.urlsplit(text)
        valid = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise InvalidHandleError(
            f"The handle {_redact(text)!r} is not a valid address. "
            "An address is https://host/path, without spaces."
        )
    address, pin = _split_pin(text)
    if "#" in address:
        fragment = address.partition("#")[2]
        # Another fragment may have secrets.
        shown = f"#{fragment}" if re.fullmatch(r"sha\d*=\w*", fragment) else "a fragment, #…"
        raise InvalidHandleError(
            f"The handle {_redact(text)!r} ends in {shown}, which is not a pin. {_PIN_ADVICE}"
        )
    return WebHandle(text, address, pin)


def _split_pin(text: str) -> tuple[str, str | None]:
    rest, mark, fragment = text.rpartition("#")
    pin = _PIN.fullmatch(fragment) if mark else None
    return (rest, pin[1].lower()) if pin else (text, None)


def _check_scheme(text: str, scheme: str, registered: list[str]) -> None:
    if scheme in registered:
        return
    schemes = ", ".join(f"{name}://" for name in registered if name)
    raise InvalidHandleError(
        f"The handle {_redact(text)!r} has the scheme {scheme}://, which no file system of this "
        f"process has. {_UNDERSTOOD.format(schemes=schemes)} Others, such as s3://, come with "
        "import tensorflow_io."
    )

"""The names in a hub, of modules, versions and files: parts of paths and of addresses."""

from __future__ import annotations

import dataclasses
import re

from hubmodule._plain_errors import InvalidHandleError

ARCHIVE = "module.tar.gz"
FACTS = "facts.json"
README = "README.md"
UNPACKED = "module"
INDEX = "index.json"
# A leading dot would hide the directory, and "..", "/" and "%" would lead out of the hub.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
# Files and folders that a hub, its server, or its static pages have.
_RESERVED = ("healthz", "index.html", INDEX, "static")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_ADVICE = (
    "A name is publisher/name or publisher/name/version: publisher and name are at most 100 "
    "letters, digits, '_', '-' and '.', without a '.' at the start, and not static, healthz or "
    "index.…; a version is a positive number of at most 9 digits."
)


@dataclasses.dataclass(frozen=True, order=True)
class ModuleName:
    """The name of a module in a hub, without a version.

    Attributes:
        publisher: Name of the person or team that publishes it.
        name: Name of the module among those of the publisher.

    Raises:
        InvalidHandleError: If one of them cannot be the name of a directory in a hub.
    """

    publisher: str
    name: str

    def __post_init__(self) -> None:
        for part in (self.publisher, self.name):
            if not is_name(part):
                raise InvalidHandleError(f"{part[:120]!r} cannot be a name in a hub. {_ADVICE}")

    def __str__(self) -> str:
        return f"{self.publisher}/{self.name}"


def is_name(text: str) -> bool:
    """Whether a text may be the name of a publisher or a module."""
    return _NAME.fullmatch(text) is not None and text not in _RESERVED


def is_version(text: str) -> bool:
    """Whether a text is a version: a positive decimal number without leading zeros."""
    return _VERSION.fullmatch(text) is not None


def parse_name(text: str) -> tuple[ModuleName, int | None]:
    """Parses "publisher/name" or "publisher/name/version".

    Returns:
        The name, and the version; None where the text has none.

    Raises:
        InvalidHandleError: If it is neither.
    """
    parts = text.split("/")
    if len(parts) not in (2, 3) or (len(parts) == 3 and not is_version(parts[2])):
        raise InvalidHandleError(f"{text[:240]!r} is not the name of a module. {_ADVICE}")
    return ModuleName(parts[0], parts[1]), int(parts[2]) if len(parts) == 3 else None

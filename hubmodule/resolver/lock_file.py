"""A lock file: the digests that modules must have, by their handles.

    {"version": 1,
     "modules": {"https://…": {"sha256": "…", "archive_sha256": "…"}, …}}

"sha256" is that of the content, as manifest.compute_content_digest() makes it, and is compared
when HUBMODULE_LOCK names the file. "archive_sha256" is that of the archive that the module came
in, for `#sha256=` and `sha256sum`; null where it is not known. A server may pack the same content
into another archive, so it is not compared.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from hubmodule import urls
from hubmodule._plain_errors import LockError

_VERSION = 1
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True)
class LockedModule:
    """What a lock file holds about a module.

    Attributes:
        sha256: Digest of the content in lower case.
        archive_sha256: Digest of the archive in lower case; None if it is not known.
    """

    sha256: str
    archive_sha256: str | None = None


def encode(modules: Mapping[str, LockedModule]) -> bytes:
    """Encodes a lock file, always to the same bytes for the same modules."""
    value = {
        "version": _VERSION,
        "modules": {handle: dataclasses.asdict(modules[handle]) for handle in sorted(modules)},
    }
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def decode(content: bytes, path: str) -> dict[str, LockedModule]:
    """Decodes a lock file.

    Args:
        content: Its bytes.
        path: Its path, for errors.

    Raises:
        LockError: If it is not a lock file, or one of a newer version.
    """
    try:
        value = json.loads(content, object_pairs_hook=_make_dict)
        if not isinstance(value, dict) or "version" not in value:
            raise ValueError('it is not a JSON object with a "version"')
        if value["version"] != _VERSION:
            raise LockError(
                f"The lock file {path} has the version {value['version']!r}, and this hubmodule "
                f"reads {_VERSION}. Upgrade hubmodule, or lock again."
            )
        modules = value.get("modules")
        if not isinstance(modules, dict):
            raise ValueError('its "modules" are not an object')
        return {handle: _parse_module(handle, module) for handle, module in modules.items()}
    except LockError:
        raise
    except (ValueError, RecursionError) as error:
        raise LockError(
            f"{path} is not a lock file: {error}. Make one: python -m hubmodule lock HANDLE … "
            f"-o {path}"
        ) from error


def read(path: str) -> Mapping[str, LockedModule]:
    """Reads a local lock file, unless it was read before and has not changed.

    Raises:
        LockError: If it cannot be read, or is not a lock file.
    """
    try:
        status = os.stat(path)
        return _read_version(path, (status.st_ino, status.st_mtime_ns, status.st_size))
    except LockError:
        raise
    except OSError as error:
        raise LockError(
            f"The lock file {path} cannot be read: {error.strerror}. Make it: python -m hubmodule "
            f"lock HANDLE … -o {path}; or unset HUBMODULE_LOCK."
        ) from error


def find_digest(path: str, handle: str) -> str:
    """Returns the digest that a lock file has for a handle.

    Raises:
        LockError: If it has none, or the file cannot be read.
    """
    locked = read(path).get(handle)
    if locked is not None:
        return locked.sha256
    check_handle(handle)
    raise LockError(
        f"{urls.redact(handle)} is not in the lock file {path}. If it belongs there, lock it with "
        f"all others: python -m hubmodule lock HANDLE … -o {path}"
    )


def check_handle(handle: str) -> None:
    """Checks that a handle can be written to a lock file, which others may read.

    Raises:
        LockError: If it has a user name, a password, a query that may hold a key, or characters
            that a terminal would obey.
    """
    if not handle.isprintable():
        raise LockError(
            f"{urls.escape_controls(urls.redact(handle))} has characters that cannot be printed, "
            "which a lock file does not hold. Rename the archive."
        )
    if urls.has_secrets(handle):
        raise LockError(
            f"{urls.redact(handle)} has a password or a query, which is not written to a lock "
            "file. Use the handle without it: passwords go into ~/.netrc, tokens into "
            "HUBMODULE_TOKENS, and the address of a signed archive into HUBMODULE_MIRRORS."
        )


def check_digest(path: str, handle: str, found: str, where: str) -> None:
    """Checks that the content of a module is the locked one.

    Args:
        path: Path of the lock file.
        handle: Handle of the module.
        found: Digest of the content.
        where: Where the content is, e.g. "the cache /c".

    Raises:
        LockError: If the lock file has another digest, or none.
    """
    locked = find_digest(path, handle)
    if found != locked:
        raise LockError(
            f"{handle} in {where} has the content {found}, but the lock file {path} has {locked}. "
            "It was replaced: do not use it, or lock it again if you trust it."
        )


# Its status is faster to read than the file.
@functools.lru_cache(maxsize=8)
def _read_version(path: str, version: tuple[int, ...]) -> dict[str, LockedModule]:
    with open(path, "rb") as file:
        return decode(file.read(), path)


def _make_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Makes an object; two modules with one handle may come from a merge of two files."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has {urls.redact(twice)} twice")
    return made


def _parse_module(handle: str, module: object) -> LockedModule:
    values = module if isinstance(module, dict) else {}
    sha256 = _parse_digest(handle, values.get("sha256"))
    archive = values.get("archive_sha256")
    return LockedModule(sha256, None if archive is None else _parse_digest(handle, archive))


def _parse_digest(handle: str, digest: object) -> str:
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ValueError(
            f"a digest of {urls.redact(handle)} is missing or not 64 hexadecimal digits in lower "
            "case"
        )
    return digest

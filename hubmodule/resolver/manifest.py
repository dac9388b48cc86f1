"""What a cached module must hold, as a JSON file beside its directory.

    {"version": 1, "handle": "https://…", "fetched": "2026-01-31T12:00:00+00:00",
     "source": "", "files": {"saved_model.pb": {"size": 1234, "sha256": "…"}, …}}

"source" changes when another archive is put at the path that the module was unpacked from; it is
empty for a module from the web, where addresses hold versions. A module that another program
cached has no digests ("sha256": null), as those of the complete module are not known.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Mapping
from typing import Any

from hubmodule import files
from hubmodule.file_systems import FileSystem

_VERSION = 1
_NEVER_EMPTY = {
    "saved_model.pb",
    "saved_model.pbtxt",
    "tfhub_module.pb",
    "variables/variables.index",
    "variables/variables.data-00000-of-00001",
}
_SHARD = re.compile(r"(?P<name>.+)\.data-\d{5}-of-(?P<count>\d{5})")


@dataclasses.dataclass(frozen=True)
class FileRecord:
    """A file of a module.

    Attributes:
        path: Path below the directory of the module.
        size: Size in bytes.
        sha256: Digest in lower case; None if it is not known.
    """

    path: str
    size: int
    sha256: str | None


@dataclasses.dataclass(frozen=True)
class Manifest:
    """The record of a cached module.

    Attributes:
        handle: Handle of the module, without passwords and queries.
        fetched: Time when it was fetched, in ISO 8601 with a time zone.
        files: All files of the module.
        source: Fingerprint of the local archive that it came from; "" without one.
    """

    handle: str
    fetched: str
    files: tuple[FileRecord, ...]
    source: str = ""

    def encode(self) -> bytes:
        """Encodes the manifest as JSON."""
        files = {file.path: {"size": file.size, "sha256": file.sha256} for file in self.files}
        value = {
            "version": _VERSION,
            "handle": self.handle,
            "fetched": self.fetched,
            "source": self.source,
            "files": files,
        }
        return json.dumps(value, indent=1).encode()


def get_time() -> str:
    """Returns the present time in ISO 8601, for a new manifest."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def get_fetch_time(manifest: Manifest) -> float:
    """Returns when the module was fetched, in seconds since 1970."""
    return datetime.datetime.fromisoformat(manifest.fetched).timestamp()


def decode(content: bytes) -> Manifest | None:
    """Decodes a manifest; returns None if it is damaged, or of an unknown version."""
    try:
        value = json.loads(content)
        if value["version"] != _VERSION:
            return None
        files = tuple(_parse_record(path, file) for path, file in value["files"].items())
        source = str(value.get("source", ""))
        manifest = Manifest(str(value["handle"]), value["fetched"], files, source)
        get_fetch_time(manifest)
        manifest.handle.encode()
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return manifest


def _parse_record(path: str, file: Mapping[str, Any]) -> FileRecord:
    # A path that leaves the module would be read, and removed as damaged.
    if not files.is_inside(path):
        raise ValueError(path)
    path.encode()
    return FileRecord(path, int(file["size"]), file["sha256"])


def find_damage(manifest: Manifest, file_system: FileSystem, directory: str) -> str | None:
    """Describes the first file of a module that is missing or has another size, or returns None.

    Args:
        manifest: Manifest of the module.
        file_system: File system of `directory`.
        directory: Path of the directory of the module.
    """
    found = (describe_damage(file, file_system, directory) for file in manifest.files)
    return next(filter(None, found), None)


def describe_damage(file: FileRecord, file_system: FileSystem, directory: str) -> str | None:
    """Describes what is wrong with a file if it is missing or has another size, or returns None.

    Args:
        file: Record of the file in the manifest.
        file_system: File system of `directory`.
        directory: Path of the directory of the module.
    """
    size = file_system.get_size(f"{directory}/{file.path}")
    if size is None:
        return f"{file.path} is missing"
    if size != file.size:
        return f"{file.path} has {size} bytes instead of {file.size}"
    return None


def find_foreign_damage(sizes: Mapping[str, int]) -> str | None:
    """Describes why files without a manifest are not a complete SavedModel, or returns None.

    Args:
        sizes: Size of each file in bytes, by its path below the directory.
    """
    names = set(sizes)
    if not names & {"saved_model.pb", "saved_model.pbtxt"}:
        return "saved_model.pb is missing"
    # A shard of several may be empty, as may assets.
    for name in sorted(names & _NEVER_EMPTY):
        if not sizes[name]:
            return f"{name} is empty"
    shards = [shard for name in names if (shard := _SHARD.fullmatch(name))]
    for shard in shards:
        count = int(shard["count"])
        for number in range(count):
            wanted = f"{shard['name']}.data-{number:05d}-of-{count:05d}"
            if wanted not in names:
                return f"{wanted} is missing"
        if f"{shard['name']}.index" not in names:
            return f"{shard['name']}.index is missing"
    if "variables/variables.index" in names and not shards:
        return "variables/variables.data-00000-of-00001 is missing"
    return None

"""What a cached module must hold, as a JSON file beside its directory.

    {"version": 1, "handle": "https://…", "fetched": "2026-01-31T12:00:00+00:00",
     "source": "", "archive_sha256": "…", "address": "https://…", "etag": "…",
     "files": {"saved_model.pb": {"size": 1234, "sha256": "…"}, …}}

"source" changes when another archive is put at the path that the module was unpacked from; it is
empty for a module from the web, where addresses hold versions. "address" is where the archive was
fetched from, and "etag" what the server there says of it. A module that another program cached has
no digests ("sha256": null), as those of the complete module are not known.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from hubmodule import files
from hubmodule.file_systems import FileSystem, LocalFileSystem

_VERSION = 1
_NEVER_EMPTY = {
    "saved_model.pb",
    "saved_model.pbtxt",
    "tfhub_module.pb",
    "variables/variables.index",
    "variables/variables.data-00000-of-00001",
}
_OPTIONAL = ("source", "archive_sha256", "address", "etag")
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
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
        archive_sha256: Digest of the archive that it came in; "" if it is not known.
        address: Where it was fetched from, without passwords and queries; "" if that is
            not known.
        etag: ETag of the archive at that address; "" if it has none.
    """

    handle: str
    fetched: str
    files: tuple[FileRecord, ...]
    source: str = ""
    archive_sha256: str = ""
    address: str = ""
    etag: str = ""

    @functools.cached_property
    def content_digest(self) -> str | None:
        """Digest of all files; None if that of one is not known."""
        if not all(file.sha256 for file in self.files):
            return None
        return compute_content_digest(self.files)

    def encode(self) -> bytes:
        """Encodes the manifest as JSON."""
        files = {file.path: {"size": file.size, "sha256": file.sha256} for file in self.files}
        value = {
            "version": _VERSION,
            "handle": self.handle,
            "fetched": self.fetched,
            "source": self.source,
            "archive_sha256": self.archive_sha256,
            "address": self.address,
            "etag": self.etag,
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
        texts = {name: str(value.get(name, "")) for name in _OPTIONAL}
        manifest = Manifest(str(value["handle"]), value["fetched"], files, **texts)
        get_fetch_time(manifest)
        manifest.handle.encode()
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return manifest


def read_local(path: str) -> Manifest | None:
    """Reads a local manifest; returns None if there is none that can be read."""
    # It may be a directory, or a file that this user may not read.
    try:
        status = os.stat(path)
        return _read_version(path, (status.st_ino, status.st_mtime_ns, status.st_size))
    except OSError:
        return None


# The status of a file is faster to read than the file, which is replaced, never changed.
@functools.lru_cache(maxsize=128)
def _read_version(path: str, version: tuple[int, ...]) -> Manifest | None:
    return decode(LocalFileSystem().read(path))


def _parse_record(path: str, file: Mapping[str, Any]) -> FileRecord:
    # A path that leaves the module would be read, and removed as damaged.
    if not files.is_inside(path):
        raise ValueError(path)
    path.encode()
    return FileRecord(path, int(file["size"]), file["sha256"])


def compute_content_digest(files: Iterable[FileRecord]) -> str:
    """Computes the digest of a module's content, whatever archive it came in.

    It is the SHA-256 of what `sha256sum` prints for the files in the order of their paths.
    """
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.path):
        path = file.path.translate(_ESCAPES)
        mark = "\\" if path != file.path else ""
        digest.update(f"{mark}{file.sha256}  {path}\n".encode())
    return digest.hexdigest()


def compute_digest(file_system: FileSystem, path: str) -> str:
    """Computes the SHA-256 of a file."""
    digest = hashlib.sha256()
    for piece in file_system.read_pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def list_files(file_system: FileSystem, directory: str, handle: str) -> Manifest:
    """Makes the manifest of a module that is there, without digests.

    Args:
        file_system: File system of `directory`.
        directory: Path of the module.
        handle: Its handle, without secrets.
    """
    sizes = file_system.list_sizes(directory)
    records = tuple(FileRecord(path, sizes[path], None) for path in sorted(sizes))
    return Manifest(handle, get_time(), records)


def add_digests(manifest: Manifest, file_system: FileSystem, directory: str) -> Manifest:
    """Returns a manifest with the digests of all files; reads those whose digest is not known."""
    records = tuple(
        file
        if file.sha256
        else dataclasses.replace(
            file, sha256=compute_digest(file_system, f"{directory}/{file.path}")
        )
        for file in manifest.files
    )
    return dataclasses.replace(manifest, files=records)


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

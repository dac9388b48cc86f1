"""Packs a module into an archive; the same files always give the same bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from hubmodule._plain_errors import PublishError
from hubmodule.downloads.progress import Report
from hubmodule.file_systems import FileSystem, LocalFileSystem
from hubmodule.tar_writer import TarWriter

_LEVEL = 6
# Without a time, a name, and the number of the operating system, which zlib would write.
_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


@dataclasses.dataclass(frozen=True)
class Archive:
    """What is known of an archive that was packed.

    Attributes:
        bytes: Size of the archive in bytes.
        sha256: Digest of the archive in hexadecimal, which pins it in a handle.
        tar_sha256: Digest of the tar in it, which is the same whatever zlib compressed it.
    """

    bytes: int
    sha256: str
    tar_sha256: str


def list_module_files(file_system: FileSystem, directory: str) -> dict[str, int]:
    """Lists the bytes of all files of a module by their paths below its directory.

    Raises:
        PublishError: If a file cannot be in an archive that every resolver unpacks.
    """
    if isinstance(file_system, LocalFileSystem):
        _check_entries(directory)
    sizes = dict(sorted(file_system.list_sizes(directory).items()))
    for name in sizes:
        if not _is_portable(name):
            raise PublishError(
                f"{directory} has the file {name!r}, whose name not every file system can hold. "
                "Rename or remove it."
            )
    return sizes


def pack(
    file_system: FileSystem,
    directory: str,
    sizes: Mapping[str, int],
    out: BinaryIO,
    report: Report = lambda packed, total: None,
) -> Archive:
    """Packs files into a .tar.gz without times, owners, modes and its own name.

    Args:
        file_system: File system of the module.
        directory: Path of the module.
        sizes: Bytes of each file by its path below the directory, in the order of the archive.
        out: Receives the archive.
        report: Called with the bytes packed so far, and the bytes of all files.

    Raises:
        PublishError: If a file changes meanwhile.
    """
    gzip = _GzipWriter(out)
    tar = TarWriter(gzip.write)
    packed, total = 0, sum(sizes.values())
    report(packed, total)
    for name, size in sizes.items():
        path = f"{directory}/{name}"
        found = tar.add(name, size, _read_file(file_system, path, packed, total, report))
        if found != size:
            raise PublishError(
                f"{path} changes while it is packed: it had {size} bytes, and has {found}. "
                "Publish the module when it is complete."
            )
        packed += size
    tar.end()
    return gzip.end()


class _GzipWriter:
    """Compresses the bytes of a tar.

    Args:
        out: Receives the archive.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._checksum = self._length = self._written = 0
        self._tar_digest, self._digest = hashlib.sha256(), hashlib.sha256()
        self._write_on(_GZIP_HEADER)

    def write(self, piece: bytes) -> None:
        """Takes the next bytes of the tar."""
        self._tar_digest.update(piece)
        self._checksum = zlib.crc32(piece, self._checksum)
        self._length += len(piece)
        self._write_on(self._deflate.compress(piece))

    def end(self) -> Archive:
        """Writes the end of the archive."""
        self._write_on(self._deflate.flush())
        self._write_on(self._checksum.to_bytes(4, "little"))
        self._write_on((self._length % 2**32).to_bytes(4, "little"))
        return Archive(self._written, self._digest.hexdigest(), self._tar_digest.hexdigest())

    def _write_on(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._out.write(piece)
        self._written += len(piece)


def _read_file(
    file_system: FileSystem, path: str, packed: int, total: int, report: Report
) -> Iterator[bytes]:
    """Yields the pieces of a file, and reports each.

    Args:
        file_system: File system of the file.
        path: Path of the file.
        packed: Number of bytes that were packed before.
        total: Number of bytes of all files.
        report: Called with the bytes packed so far, and `total`.
    """
    try:
        for piece in file_system.read_pieces(path):
            yield piece
            packed += len(piece)
            report(packed, total)
    except OSError as error:
        raise PublishError(f"{path} cannot be read: {error.strerror or error}.") from error


def _check_entries(directory: str) -> None:
    """Checks that a module has files and directories only; all else would be missing."""
    for parent, folders, names in os.walk(directory):
        for path in (os.path.join(parent, folder) for folder in folders):
            if os.path.islink(path):
                raise PublishError(
                    f"{path} is a symbolic link to a directory. Replace it by the directory, so "
                    "that the module is complete."
                )
        for path in (os.path.join(parent, name) for name in names):
            if not os.path.isfile(path):
                what = "a symbolic link to nothing" if os.path.islink(path) else "not a file"
                raise PublishError(f"{path} is {what}. Remove it, or put the file there.")


def _is_portable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\\" not in name and name.isprintable()

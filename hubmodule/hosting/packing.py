"""Packs a module into an archive; the same files always give the same bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from hubmodule import files
from hubmodule._plain_errors import PublishError
from hubmodule.downloads.progress import Report
from hubmodule.file_systems import FileSystem, LocalFileSystem

# Times of 1970 make GNU tar warn.
_TIME = 315532800  # 1980-01-01, in seconds since 1970
_MODE = 0o644
_FOLDER_MODE = 0o755
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
        PublishError: if a file cannot be in an archive that every resolver unpacks.
    """
    if isinstance(file_system, LocalFileSystem):
        _check_links(directory)
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
        PublishError: if a file changes meanwhile.
    """
    tar_digest, digest = hashlib.sha256(), hashlib.sha256()
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    checksum = length = written = packed = 0

    def write(piece: bytes) -> None:
        nonlocal written
        digest.update(piece)
        out.write(piece)
        written += len(piece)

    write(_GZIP_HEADER)
    total = sum(sizes.values())
    for piece, content in _make_tar(file_system, directory, sizes):
        tar_digest.update(piece)
        checksum = zlib.crc32(piece, checksum)
        length += len(piece)
        write(deflate.compress(piece))
        packed += content
        report(packed, total)
    write(deflate.flush())
    write(checksum.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little"))
    return Archive(written, digest.hexdigest(), tar_digest.hexdigest())


def _make_tar(
    file_system: FileSystem, directory: str, sizes: Mapping[str, int]
) -> Iterator[tuple[bytes, int]]:
    """Yields the bytes of a tar in pieces, and how many bytes of files each of them holds."""
    offset = 0
    folders: set[str] = set()
    for name, size in sizes.items():
        header = b"".join(_make_folders(name, folders)) + _make_header(name, size)
        yield header, 0
        read = 0
        for piece in _read_file(file_system, f"{directory}/{name}"):
            read += len(piece)
            yield piece, len(piece)
        if read != size:
            raise PublishError(
                f"{directory}/{name} changes while it is packed: it had {size} bytes, and has "
                f"{read}. Publish the module when it is complete."
            )
        padding = -size % tarfile.BLOCKSIZE
        yield bytes(padding), 0
        offset += len(header) + size + padding
    end = 2 * tarfile.BLOCKSIZE
    yield bytes(end + -(offset + end) % tarfile.RECORDSIZE), 0


def _read_file(file_system: FileSystem, path: str) -> Iterator[bytes]:
    pieces = file_system.read_pieces(path)
    while True:
        try:
            piece = next(pieces, b"")
        except OSError as error:
            raise PublishError(f"{path} cannot be read: {error.strerror or error}.") from error
        if not piece:
            return
        yield piece


def _make_folders(name: str, made: set[str]) -> Iterator[bytes]:
    """Yields headers of the folders above a file; tensorflow_hub does not make others."""
    for folder in reversed([*files.list_parents(name)]):
        if folder not in made:
            made.add(folder)
            yield _make_header(folder, 0, tarfile.DIRTYPE, _FOLDER_MODE)


def _make_header(name: str, size: int, kind: bytes = tarfile.REGTYPE, mode: int = _MODE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.mode, member.mtime = size, kind, mode, _TIME
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def _check_links(directory: str) -> None:
    """Checks that no directory of a module is a link, whose content would be missing."""
    for parent, folders, _ in os.walk(directory):
        for folder in folders:
            path = os.path.join(parent, folder)
            if os.path.islink(path):
                raise PublishError(
                    f"{path} is a symbolic link to a directory. Replace it by the directory, so "
                    "that the module is complete."
                )


def _is_portable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\\" not in name and name.isprintable()

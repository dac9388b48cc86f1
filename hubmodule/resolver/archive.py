"""Unpacks a plain or compressed tar as it arrives, and refuses entries that are not safe.

`tarfile` reads the headers. Its TarFile.next() takes an invalid header in the middle of an
archive for the end, so a damaged archive would load as if it were whole; fromtarfile(), which
is used here, raises. The format of the compression is recognised by the first bytes, as servers
serve an archive under any name; its checksum is read before the tar counts as complete.
"""

from __future__ import annotations

import bz2
import hashlib
import importlib
import itertools
import lzma
import posixpath
import sys
import tarfile
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NoReturn, cast

from hubmodule import files
from hubmodule._plain_errors import ArchiveDamagedError, ArchiveRefusedError, HubModuleError
from hubmodule.cache.manifest import FileRecord
from hubmodule.downloads.read_ahead import read_ahead
from hubmodule.file_systems import FileSystem

# At most this much comes out of a decompressor at a time, however well it was packed.
PIECE = 1 << 20  # bytes
_PIECES_AHEAD = 8
_BLOCK = tarfile.BLOCKSIZE
_LONGEST_HEADER = 1 << 20  # bytes of a header with a long name and pax records
_LONGEST_NAME = 4096  # characters
_LONGEST_PART = 255  # bytes
_DEEPEST = 256  # directories
_MOST_LAYERS = 2  # a server may compress what is compressed already
_GZIP_BITS = 31
_ADVICE = "Do not use this archive; a module packed with `tar -czf m.tar.gz -C <module> .` is fine."

_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_REFUSED_TYPES = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
}


class NotAnArchiveError(ArchiveDamagedError):
    """The bytes do not begin like an archive. `start` holds the first of them."""

    def __init__(self, message: str, start: bytes = b""):
        super().__init__(message)
        self.start = start

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.start)


def unpack(
    pieces: Iterable[bytes],
    file_system: FileSystem,
    directory: str,
    max_entries: int,
    max_bytes: int,
) -> list[FileRecord]:
    """Unpacks an archive into an empty directory.

    A file appears there while the archive is still being read: the caller makes the directory
    appear when this returns, and removes it when this raises. Of several entries with the same
    name the last one counts, as for tar, which appends newer versions.

    Args:
        pieces: Bytes of a .tar, .tar.gz, .tar.bz2 or .tar.xz, cut anywhere.
        file_system: File system of `directory`.
        directory: Path of the empty directory.
        max_entries: Largest number of files and directories to accept.
        max_bytes: Largest size of the unpacked tar to accept, in bytes.

    Returns:
        The files, in the order in which the archive first names them.

    Raises:
        NotAnArchiveError: If the bytes begin like none of these formats.
        ArchiveDamagedError: If the archive is cut off, corrupt or empty.
        ArchiveRefusedError: If it is whole, but not safe or too big.
    """
    tar, is_checked = _open_tar(pieces)
    with read_ahead(tar, _PIECES_AHEAD) as tar_ahead:
        source = _TarSource(tar_ahead, max_bytes, needs_end=not is_checked)
        records = _unpack_tar(source, file_system, directory, max_entries)
        source.check_end()
    if not records:
        raise ArchiveDamagedError("The archive holds no file; pack the module again.")
    return list(records.values())


def _unpack_tar(
    source: _TarSource, file_system: FileSystem, directory: str, limit: int
) -> dict[str, FileRecord]:
    records: dict[str, FileRecord] = {}
    forms: dict[str, str] = {}
    for count, member in enumerate(_read_members(source), 1):
        if count > limit:
            raise ArchiveRefusedError(
                f"The archive is refused: it has more than {limit} entries. If you trust it, set "
                "HUBMODULE_MAX_ARCHIVE_ENTRIES to more."
            )
        _check_type(member)
        name = _normalize(member.name)
        if forms.setdefault(unicodedata.normalize("NFC", name), name) != name:
            _refuse(member.name, "has the same name as an earlier one, in another form of Unicode")
        try:
            if not records.keys().isdisjoint(files.list_parents(name)):
                raise FileExistsError  # object stores would keep both
            if member.isdir() or member.name.endswith("/"):
                file_system.make_directory(f"{directory}/{name}")
                continue
            if name in records:
                file_system.remove(f"{directory}/{name}")
            out = file_system.open_new(f"{directory}/{name}")
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            _refuse(member.name, "collides with an earlier one, as this file system compares names")
        records[name] = write_file(out, source.read_content(member.size), name)
    return records


def write_file(out: BinaryIO, pieces: Iterable[bytes | memoryview], name: str) -> FileRecord:
    """Writes a file, and closes it.

    Args:
        out: The file.
        pieces: Its content, cut anywhere.
        name: Path of the file below the directory of the module.
    """
    digest, size = hashlib.sha256(), 0
    with out:
        for piece in pieces:
            out.write(piece)
            digest.update(piece)
            size += len(piece)
    return FileRecord(name, size, digest.hexdigest())


def _open_tar(pieces: Iterable[bytes]) -> tuple[Iterable[bytes], bool]:
    """Returns the bytes of the tar, and whether a checksum covers them."""
    is_checked = False
    for _ in range(_MOST_LAYERS + 1):
        start, pieces = _peek(pieces)
        kind = next((kind for kind, magic in _MAGIC.items() if start.startswith(magic)), None)
        if kind is None:
            break
        pieces, is_checked = decompress(kind, pieces), True
    else:
        raise NotAnArchiveError(
            f"Not an archive: more than {_MOST_LAYERS} nested layers of compression.", start
        )
    if not start:
        raise NotAnArchiveError("The archive is empty: not a single byte came.")
    if not _is_tar(start[:_BLOCK]):
        raise NotAnArchiveError(
            f"Not an archive: it begins with {start[:24]!r}, not like a tar, gzip, bz2 or xz.",
            start,
        )
    return pieces, is_checked


def _peek(pieces: Iterable[bytes]) -> tuple[bytes, Iterable[bytes]]:
    """Returns the first bytes, and all of them."""
    rest = iter(pieces)
    start = b""
    while len(start) < _BLOCK and (piece := next(rest, None)) is not None:
        start += piece
    return start, itertools.chain([start], rest)


def _is_tar(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
        return True
    except tarfile.HeaderError:
        return block[257:262] == b"ustar"
    return True


class _Gunzip:
    """zlib's decompressor, with the interface of those of bz2 and lzma."""

    def __init__(self) -> None:
        self._inflate = get_zlib().decompressobj(_GZIP_BITS)
        self.needs_input = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inflate, name)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        # A full piece may leave output inside of zlib even when it has taken all input.
        self.needs_input = not self._inflate.unconsumed_tail and len(out) < max_length
        return out


_MAGIC = {"gzip": b"\x1f\x8b", "bz2": b"BZh", "xz": b"\xfd7zXZ\x00"}
_DECOMPRESSORS: dict[str, Any] = {
    "gzip": _Gunzip,
    "bz2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


def get_zlib() -> Any:
    """Returns python-isal where it is installed, which is faster than zlib, else zlib."""
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib


def decompress(kind: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decompresses streams that follow each other, and checks that nothing else follows."""
    stream = _DECOMPRESSORS[kind]()
    for data in pieces:
        while data:
            if stream.eof:
                if not (data := data.lstrip(b"\0")):
                    break
                if not _MAGIC[kind].startswith(data[: len(_MAGIC[kind])]):
                    raise ArchiveDamagedError(
                        f"The archive is damaged: something that is not {kind} follows its end."
                    )
                stream = _DECOMPRESSORS[kind]()
            while data or not (stream.eof or stream.needs_input):
                try:
                    out = stream.decompress(data, PIECE)
                except (OSError, EOFError, lzma.LZMAError, zlib.error, get_zlib().error) as error:
                    raise ArchiveDamagedError(
                        f"The archive is damaged: its {kind} data are corrupt ({error})."
                    ) from error
                if out:
                    yield out
                data = b""
            data = stream.unused_data if stream.eof else b""
    if not stream.eof:
        raise ArchiveDamagedError(
            f"The archive is cut off: its {kind} data end before their checksum."
        )


def _read_members(source: _TarSource) -> Iterator[tarfile.TarInfo]:
    """Reads the headers; the content after each must be read before the next."""
    tar = _Tar(fileobj=cast(Any, source), encoding="utf-8", errors="surrogateescape")
    while True:
        source.begin_header()
        try:
            member = tarfile.TarInfo.fromtarfile(tar)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            return
        except tarfile.EmptyHeaderError:  # type: ignore[attr-defined]
            if source.needs_end:
                raise _make_cut_off_error() from None
            return
        except (tarfile.HeaderError, ValueError, IndexError) as error:
            if isinstance(error, HubModuleError):
                raise
            raise ArchiveDamagedError(
                f"The archive is damaged: a header in it is corrupt ({error})."
            ) from error
        if member.size < 0:
            raise ArchiveDamagedError(
                f"The archive is damaged: something in it has the size {member.size}."
            )
        yield member


class _Tar(tarfile.TarFile):
    """Reads no header when it is made, and closes nothing."""

    def next(self) -> None:
        return None


class _TarSource:
    """The bytes of a tar, in the form that TarInfo.fromtarfile() reads them.

    Args:
        pieces: The bytes, cut anywhere.
        limit: Largest number of bytes to accept.
        needs_end: Whether the tar must have a mark at its end, which some programs do not write.
    """

    def __init__(self, pieces: Iterator[bytes], limit: int, needs_end: bool):
        self.needs_end = needs_end
        self._pieces = pieces
        self._current = memoryview(b"")
        self._limit = limit
        self._received = 0
        self._header_left = 0

    def begin_header(self) -> None:
        """Limits how many bytes the next header may have, whatever length it states."""
        self._header_left = _LONGEST_HEADER

    def read(self, size: int) -> bytes:
        """Reads a part of a header; b"" at the end of the bytes."""
        self._header_left -= size
        if size < 0 or self._header_left < 0:
            raise ArchiveRefusedError(
                f"The archive is refused: it has a name or attributes of more than "
                f"{_LONGEST_HEADER} bytes. {_ADVICE}"
            )
        data = b"".join(self._take(size))
        if 0 < len(data) < size:
            raise _make_cut_off_error()
        return data

    def tell(self) -> int:
        """Returns how many bytes were read."""
        return self._received - len(self._current)

    def read_content(self, size: int) -> Iterator[memoryview]:
        """Reads the content of a file in pieces, and the padding after it."""
        end = self.tell() + size + -size % _BLOCK
        yield from self._take(size)
        for _ in self._take(-size % _BLOCK):
            pass
        if self.tell() < end:
            raise _make_cut_off_error()

    def check_end(self) -> None:
        """Reads the rest, so that the checksum at the end of a compressed archive is checked."""
        for piece in self._take(sys.maxsize):
            if bytes(piece).strip(b"\0"):
                raise ArchiveDamagedError(
                    "The archive is damaged: something follows the end of the tar in it."
                )

    def _take(self, size: int) -> Iterator[memoryview]:
        """Takes the next bytes, in pieces; fewer than `size` at the end."""
        while size:
            if not self._current:
                piece = next(self._pieces, None)
                if piece is None:
                    return
                self._received += len(piece)
                if self._received > self._limit:
                    raise ArchiveRefusedError(
                        f"The archive is refused: it unpacks to more than {self._limit} bytes. If "
                        "you trust it, set HUBMODULE_MAX_ARCHIVE_BYTES to more."
                    )
                self._current = memoryview(piece)
            part, self._current = self._current[:size], self._current[size:]
            size -= len(part)
            yield part


def _check_type(member: tarfile.TarInfo) -> None:
    if member.issparse() or any(key.startswith("GNU.sparse.") for key in member.pax_headers):
        _refuse(member.name, "is a sparse file")
    if member.type in _REFUSED_TYPES:
        _refuse(member.name, f"is {_REFUSED_TYPES[member.type]}")
    if not member.isdir() and member.type not in _FILES:
        _refuse(member.name, f"is of the unknown type {member.type!r}")


def _normalize(name: str) -> str:
    """Normalizes a name as tar does. Each check stops one way to write elsewhere."""
    path = posixpath.normpath(name.lstrip("/"))
    if "\\" in name or (len(name) > 1 and name[1] == ":"):
        _refuse(name, "leaves the folder on a system where \\ or a drive letter separates folders")
    if path != "." and "\0" not in path and not files.is_inside(path):
        _refuse(name, "has a '..', which leaves the folder")
    if not is_portable(name):
        _refuse(name[:80], "has a name that not every file system can hold")
    return path


def is_portable(name: str) -> bool:
    """Whether every file system can hold a file of this name."""
    try:
        parts = name.encode().split(b"/")
    except UnicodeEncodeError:
        return False
    is_long = len(name) > _LONGEST_NAME or max(map(len, parts)) > _LONGEST_PART
    return not is_long and len(parts) <= _DEEPEST and "\0" not in name


def _refuse(name: str, what: str) -> NoReturn:
    raise ArchiveRefusedError(f"The archive is refused: its entry {name!r} {what}. {_ADVICE}")


def _make_cut_off_error() -> ArchiveDamagedError:
    return ArchiveDamagedError("The archive is cut off: its tar ends in the middle.")

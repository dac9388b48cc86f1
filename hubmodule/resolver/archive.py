"""Unpacks a tar while it comes, and refuses what no module needs and an attacker would send.

Python's own reader takes an invalid header in the middle of an archive for its end, so
a damaged archive would load as if it were whole; this one accepts an end only where a
tar says that it ends. Formats: POSIX.1-1988 (ustar), POSIX.1-2001 (pax), and GNU's
long names.
"""

from __future__ import annotations

import dataclasses
import hashlib
import posixpath
import tarfile
import unicodedata
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NoReturn, Protocol

from hubmodule._plain_errors import ArchiveDamagedError, ArchiveRefusedError
from hubmodule.resolver.manifest import FileRecord

_BLOCK = 512
_LONGEST_EXTENSION = 1 << 20  # bytes of a long name or of pax records
_LONGEST_NAME = 4096
_LONGEST_PART = 255  # bytes
_DEEPEST = 256
_LONGEST_SIZE = 19  # digits: a size fits into 63 bits
_ADVICE = "Do not use this archive; a module packed with `tar -czf m.tar.gz -C <module> .` is fine."

_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_REFUSED_TYPES = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much an archive may hold."""

    entries: int
    bytes: int


class Folder(Protocol):
    """Where an archive is unpacked."""

    def create(self, path: str) -> BinaryIO:
        """Opens a new file for writing.

        Raises:
            FileExistsError: if the file system holds two names for one, and one is there.
        """

    def remove(self, path: str) -> None:
        """Removes a file that was written before."""

    def make_folder(self, path: str) -> None:
        """Makes a folder and its parents, where they are missing."""


@dataclasses.dataclass(frozen=True)
class _Entry:
    """A header of a tar, with what the extensions before it say."""

    name: str
    is_folder: bool
    size: int


def unpack(
    pieces: Iterable[bytes], folder: Folder, limits: Limits, needs_end: bool = True
) -> list[FileRecord]:
    """Unpacks a tar into an empty folder.

    A file appears there while the archive is still being read: it is the caller who makes
    the folder appear when all is well, and removes it when this raises. Of several entries
    with the same name the last one counts, as for tar, which appends newer versions.

    Args:
        pieces: the bytes of the tar.
        folder: where to.
        limits: how much to accept.
        needs_end: whether the end of a tar must be marked. An archive whose bytes are
            checked by something else may lack the mark, which some programs do not write.

    Returns:
        The files, in the order in which the archive first names them.

    Raises:
        ArchiveDamagedError: if the tar is cut off, corrupt or empty.
        ArchiveRefusedError: if it is whole, but not safe or too big.
    """
    reader = _Reader(pieces, limits.bytes)
    names = _Names(limits.entries)
    records: dict[str, FileRecord] = {}
    for entry in _entries(reader, needs_end):
        path = names.admit(entry)
        if entry.is_folder:
            folder.make_folder(path)
        else:
            if path in records:
                folder.remove(path)
            records[path] = _write_file(reader, folder, path, entry.size)
    if not records:
        raise ArchiveDamagedError("The archive holds no file; pack the module once more.")
    return list(records.values())


def _write_file(reader: _Reader, folder: Folder, path: str, size: int) -> FileRecord:
    digest = hashlib.sha256()
    try:
        file = folder.create(path)
    except FileExistsError:
        _refuse(path, "has the same name as an earlier one, as this file system compares names")
    with file:
        for piece in reader.pieces(size):
            file.write(piece)
            digest.update(piece)
    reader.skip_padding(size)
    return FileRecord(path, size, digest.hexdigest())


def _entries(reader: _Reader, needs_end: bool) -> Iterator[_Entry]:
    """The entries that make something; the content of each must be read before the next."""
    extensions: dict[str, str] = {}
    while (block := reader.header(needs_end)) is not None:
        header = _parse_header(block)
        if header.type in _PAX:
            extensions.update(_pax_records(reader.extension(header.size)))
        elif header.type == tarfile.XGLTYPE:
            _check_global(_pax_records(reader.extension(header.size)))
        elif header.type == tarfile.GNUTYPE_LONGNAME:
            extensions["path"] = _text(reader.extension(header.size).partition(b"\0")[0])
        elif header.type == tarfile.GNUTYPE_LONGLINK:
            reader.extension(header.size)  # the link that it belongs to is refused
        else:
            yield _entry(header, extensions)
            extensions = {}
    reader.check_end()


def _parse_header(block: bytes) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise ArchiveDamagedError(
            f"The archive is damaged: a header in it is corrupt ({error})."
        ) from error
    header.size = _size(str(header.size))
    return header


def _entry(header: tarfile.TarInfo, extensions: dict[str, str]) -> _Entry:
    name = extensions.get("path", header.name)
    if header.type in _REFUSED_TYPES:
        _refuse(name, f"is {_REFUSED_TYPES[header.type]}")
    if any(key.startswith("GNU.sparse.") for key in extensions):
        _refuse(name, f"is {_REFUSED_TYPES[tarfile.GNUTYPE_SPARSE]}")
    is_folder = header.type == tarfile.DIRTYPE or (header.type in _FILES and name.endswith("/"))
    if not is_folder and header.type not in _FILES:
        _refuse(name, f"is of the unknown type {header.type!r}")
    size = _size(extensions.get("size", str(header.size)))
    return _Entry(name, is_folder, 0 if is_folder else size)


def _size(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_SIZE:
        raise ArchiveDamagedError(
            f"The archive is damaged: something in it has the size {text[:80]!r}."
        )
    return int(text)


def _pax_records(data: bytes) -> dict[str, str]:
    r"""Reads records `<length> <key>=<value>\n`, where the length counts all of it."""
    records = {}
    while data.rstrip(b"\0"):
        length, space, _ = data.partition(b" ")
        end = int(length) if space and length.isdigit() and len(length) < 8 else 0
        key, mark, value = data[len(length) + 1 : max(end - 1, 0)].partition(b"=")
        if not mark or data[end - 1 : end] != b"\n":
            raise ArchiveDamagedError("The archive is damaged: a pax record in it is corrupt.")
        records[_text(key)] = _text(value)
        data = data[end:]
    return records


def _check_global(records: dict[str, str]) -> None:
    for key in ("path", "size"):
        if key in records:
            _refuse(records[key], f"is a {key} for all entries")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _refuse(name: str, what: str) -> NoReturn:
    raise ArchiveRefusedError(f"The archive is refused: its entry {name!r} {what}. {_ADVICE}")


class _Names:
    """The names that an archive has used, none of them outside of its folder."""

    def __init__(self, limit: int):
        self._limit = limit
        self._count = 0
        self._files: dict[str, str] = {}
        self._folders: set[str] = {"."}

    def admit(self, entry: _Entry) -> str:
        """The path of an entry below the folder.

        Raises:
            ArchiveRefusedError: if it would land elsewhere, or on another one.
        """
        self._count += 1
        if self._count > self._limit:
            raise ArchiveRefusedError(
                f"The archive is refused: it has more than {self._limit} entries. If you trust "
                "it, set HUBMODULE_MAX_ARCHIVE_ENTRIES to more."
            )
        path = _safe_path(entry.name)
        key = unicodedata.normalize("NFC", path)
        parents = _parents(key)
        if entry.is_folder:
            parents.append(key)
        elif key in self._folders:
            _refuse(entry.name, "makes a file of what an earlier one made a folder")
        elif self._files.setdefault(key, path) != path:
            _refuse(entry.name, "has the same name as an earlier one, in another form of Unicode")
        if not self._files.keys().isdisjoint(parents):
            _refuse(entry.name, "makes a folder of what an earlier one made a file")
        self._folders.update(parents)
        return path


def _safe_path(name: str) -> str:
    """The path, normalised as tar does. Each check stops one way to write outside of the folder."""
    path = posixpath.normpath(name.lstrip("/"))
    if path == ".." or path.startswith("../"):
        _refuse(name, "has a '..', which leaves the folder")
    if "\\" in name or (len(name) > 1 and name[1] == ":"):
        _refuse(name, "leaves the folder on a system where \\ or a drive letter separates folders")
    if "\0" in name or not _is_utf8(name) or _is_long(name):
        _refuse(name[:80], "has a name that not every file system can hold")
    return path


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_long(name: str) -> bool:
    parts = name.split("/")
    longest = max(len(part.encode()) for part in parts)
    return len(name) > _LONGEST_NAME or len(parts) > _DEEPEST or longest > _LONGEST_PART


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


class _Reader:
    """Cuts pieces of any length into what a tar is made of."""

    def __init__(self, pieces: Iterable[bytes], limit: int):
        self._pieces = iter(pieces)
        self._current = memoryview(b"")
        self._left = limit
        self._limit = limit

    def header(self, needs_end: bool) -> bytes | None:
        """The next block, or None where the tar ends."""
        block = b"".join(self._up_to(_BLOCK))
        if not block and not needs_end:
            return None
        if len(block) < _BLOCK:
            self._cut_off()
        return block if any(block) else None

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes."""
        got = 0
        for piece in self._up_to(size):
            got += len(piece)
            yield piece
        if got < size:
            self._cut_off()

    def skip_padding(self, size: int) -> None:
        """Skips what fills the last block of `size` bytes."""
        for _ in self.pieces(-size % _BLOCK):
            pass

    def extension(self, size: int) -> bytes:
        """The content of a header that says something about the next one."""
        if size > _LONGEST_EXTENSION:
            raise ArchiveRefusedError(
                f"The archive is refused: it has a name or attributes of {size} bytes. {_ADVICE}"
            )
        content = b"".join(self.pieces(size))
        self.skip_padding(size)
        return content

    def check_end(self) -> None:
        """Reads on to the last byte, which the checksum of a compressed archive comes after."""
        while piece := self._next():
            if piece.tobytes().strip(b"\0"):
                raise ArchiveDamagedError(
                    "The archive is damaged: something follows the end of the tar in it."
                )
            self._current = memoryview(b"")

    def _up_to(self, size: int) -> Iterator[memoryview]:
        while size and (piece := self._next()):
            piece, self._current = piece[:size], piece[size:]
            size -= len(piece)
            yield piece

    def _next(self) -> memoryview:
        """What is left of the current piece, or the next one; empty at the end."""
        while not self._current and (piece := next(self._pieces, None)) is not None:
            self._left -= len(piece)
            if self._left < 0:
                raise ArchiveRefusedError(
                    f"The archive is refused: it unpacks to more than {self._limit} bytes. If you "
                    "trust it, set HUBMODULE_MAX_ARCHIVE_BYTES to more."
                )
            self._current = memoryview(piece)
        return self._current

    def _cut_off(self) -> NoReturn:
        raise ArchiveDamagedError("The archive is cut off: its tar ends in the middle.")

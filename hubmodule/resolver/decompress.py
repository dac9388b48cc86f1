"""From the bytes of an archive to the bytes of the tar in it, checked to the last one.

What the bytes are is seen from how they begin, not from a name: servers serve a
module's archive under any. Each compressed format ends in a checksum, which is read
and checked before the last byte of the tar is passed on as the end.
"""

from __future__ import annotations

import bz2
import dataclasses
import importlib
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from hubmodule._plain_errors import ArchiveDamagedError

# At most this much comes out of a decompressor at a time, however well it was packed.
PIECE = 1 << 20

_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
)
_LONGEST_MAGIC = 512  # a header block of a tar
_GZIP_BITS = 31
# A server may compress what is compressed already.
_MOST_LAYERS = 3


class NotAnArchiveError(ArchiveDamagedError):
    """The bytes begin like no archive. `start` holds the first of them."""

    def __init__(self, message: str, start: bytes = b""):
        super().__init__(message)
        self.start = start

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.start)


class _Decompressor(Protocol):
    """One stream of compressed bytes, which may be followed by others."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gunzip:
    """zlib's decompressor with the interface of bz2's and lzma's."""

    def __init__(self) -> None:
        self._inflate = inflating_library().decompressobj(_GZIP_BITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        # A full piece may leave output inside of zlib even when it has taken all input.
        self.needs_input = not self._inflate.unconsumed_tail and len(out) < max_length
        return out


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": _Gunzip,
    "bz2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


@dataclasses.dataclass(frozen=True)
class TarPieces:
    """A tar on its way out of an archive.

    Attributes:
        pieces: its bytes, at most `PIECE` at a time or as long as they came.
        checked: whether a checksum vouches for all of them once they end without an error.
    """

    pieces: Iterable[bytes]
    checked: bool


def tar_pieces(chunks: Iterable[bytes]) -> TarPieces:
    """The tar in an archive.

    Args:
        chunks: the bytes of a .tar, .tar.gz, .tar.bz2 or .tar.xz.

    Raises:
        NotAnArchiveError: if they begin like none of these.
        ArchiveDamagedError: here or while iterating, if they are cut off, corrupt, or
            followed by something else.
    """
    start, chunks = _peeked(chunks)
    checked = False
    for _ in range(_MOST_LAYERS):
        if (kind := _kind(start)) == "tar":
            break
        start, chunks = _peeked(_decompressed(kind, chunks))
        checked = True
    else:
        raise NotAnArchiveError("It is no archive: it was compressed again and again.", start)
    return TarPieces(chunks, checked)


def _kind(start: bytes) -> str:
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    if start[257:262] == b"ustar" or _has_header_checksum(start):
        return "tar"
    if not start:
        raise NotAnArchiveError("The archive is empty: not a single byte came.")
    raise NotAnArchiveError(
        f"It is no archive: it begins with {start[:24]!r}, not like a tar, gzip, bz2 or xz.", start
    )


def _has_header_checksum(block: bytes) -> bool:
    """Whether a block is a tar header from before POSIX, or the end of an empty tar."""
    if len(block) < _LONGEST_MAGIC:
        return False
    if not any(block[:_LONGEST_MAGIC]):
        return True
    try:
        claimed = int(block[148:156].strip(b" \0") or b"x", 8)
    except ValueError:
        return False
    return claimed == sum(block[:148]) + 8 * ord(" ") + sum(block[156:_LONGEST_MAGIC])


def _peeked(chunks: Iterable[bytes]) -> tuple[bytes, Iterable[bytes]]:
    """The first bytes, and all of them again."""
    rest = iter(chunks)
    start = b""
    while len(start) < _LONGEST_MAGIC and (chunk := next(rest, None)) is not None:
        start += chunk
    return start, _chain(start, rest)


def _chain(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from rest


def _decompressed(kind: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    stream = _DECOMPRESSORS[kind]()
    for chunk in chunks:
        while chunk:
            if stream.eof:
                chunk = _next_stream(kind, chunk)
                if not chunk:
                    break
                stream = _DECOMPRESSORS[kind]()
            yield from _fed(kind, stream, chunk)
            chunk = stream.unused_data if stream.eof else b""
    if not stream.eof:
        raise ArchiveDamagedError(
            f"The archive is cut off: its {kind} data end before their checksum."
        )


def _next_stream(kind: str, data: bytes) -> bytes:
    """What follows a stream: another one, or nothing but padding (then b"")."""
    data = data.lstrip(b"\0")
    magic = next(magic for magic, name in _MAGIC if name == kind)
    if data and not data.startswith(magic[: len(data)]):
        raise ArchiveDamagedError(
            f"The archive is damaged: something that is not {kind} follows its end."
        )
    return data


def _fed(kind: str, stream: _Decompressor, data: bytes) -> Iterator[bytes]:
    while True:
        try:
            out = stream.decompress(data, PIECE)
        except (zlib.error, OSError, lzma.LZMAError, EOFError, inflating_library().error) as error:
            raise ArchiveDamagedError(
                f"The archive is damaged: its {kind} data are corrupt ({error})."
            ) from error
        if out:
            yield out
        if stream.eof or stream.needs_input:
            return
        data = b""


def inflating_library() -> Any:
    """python-isal where it is installed, which is faster than zlib."""
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib

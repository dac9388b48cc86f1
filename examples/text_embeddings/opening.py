"""Opens the files that embeddings are read from, and unpacks them."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from examples.text_embeddings.progress import show_reading

# How a packed file starts. "BZh" alone could be a token.
_OPENERS: dict[re.Pattern[bytes], Callable[[Any], Any]] = {
    re.compile(rb"\x1f\x8b"): gzip.open,
    re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"): lambda file: _unpack_streams(
        file, bz2.BZ2Decompressor
    ),
    re.compile(rb"\xfd7zXZ\x00"): lambda file: _unpack_streams(file, lzma.LZMADecompressor),
}
_ZIP = b"PK\x03\x04"
# Larger pieces take longer to read, because the system has to provide memory for them.
_PIECE_BYTES = 1 << 16
_DAMAGES = (EOFError, OSError, lzma.LZMAError, zlib.error)


class EmbeddingFileError(ValueError):
    """A file is not a valid file of embeddings."""


class Stream:
    """The unpacked bytes of a file.

    Args:
        file: The file object to read from, which unpacks.
        path: The path of the file, for messages.
    """

    def __init__(self, file: Any, path: str):
        self._file = file
        self._path = path

    def read_pieces(self, size: int) -> Iterator[bytes]:
        """Yields the next `size` bytes, or fewer at the end, in pieces.

        Raises:
            EmbeddingFileError: If the file is packed, and is damaged.
        """
        while size and (piece := self.read(min(size, _PIECE_BYTES))):
            yield piece
            size -= len(piece)

    def read(self, size: int = -1, /) -> bytes:
        """Reads the next `size` bytes, or fewer at the end; all of them if it is negative.

        Raises:
            EmbeddingFileError: If the file is packed, and is damaged.
        """
        try:
            return self._file.read(size)
        except _DAMAGES as error:
            raise EmbeddingFileError(
                f"{self._path} is damaged or cut off and cannot be unpacked ({error}); fetch it "
                "again."
            ) from error


class _UnpackedFile(io.RawIOBase):
    """The content of the packed streams in a file, one after the other.

    Files that were packed in parallel have many streams. BZ2File and LZMAFile stop silently at
    a stream whose start is damaged, so they are not used.

    Args:
        file: The packed file object.
        unpacker: Function that makes an object that decompresses one stream.
    """

    def __init__(self, file: Any, unpacker: Callable[[], Any]):
        self._file = file
        self._make = unpacker
        self._unpacker = unpacker()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data:
            packed = b""
            if self._unpacker.eof:
                if not (packed := self._find_next_stream()):
                    break
                self._unpacker = self._make()
            elif self._unpacker.needs_input and not (packed := self._file.read(_PIECE_BYTES)):
                raise EOFError("it ends within a stream")
            data = self._unpacker.decompress(packed, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _find_next_stream(self) -> bytes:
        packed = self._unpacker.unused_data
        # There may be zeros between streams and after the last.
        while not (start := packed.lstrip(b"\0")) and (packed := self._file.read(_PIECE_BYTES)):
            pass
        return start


def _unpack_streams(file: Any, unpacker: Callable[[], Any]) -> io.BufferedReader:
    return io.BufferedReader(_UnpackedFile(file, unpacker))


@contextlib.contextmanager
def open_file(path: str, progress: bool | None = None) -> Iterator[Stream]:
    """Opens a file, and shows how much of it has been read.

    Args:
        path: The path of a file on any file system of TensorFlow. It may be packed by gzip,
            bzip2 or xz, which its first bytes show.
        progress: Whether to show a bar on standard error; None shows it on a terminal.

    Yields:
        The unpacked content.

    Raises:
        FileNotFoundError: If nothing is at `path`.
        EmbeddingFileError: If `path` is a directory or a zip archive.
    """
    if not tf.io.gfile.exists(path):
        raise FileNotFoundError(f"{path} does not exist; give the path of a file.")
    if tf.io.gfile.isdir(path):
        raise EmbeddingFileError(f"{path} is a directory; give the path of a file in it.")
    with tf.io.gfile.GFile(path, "rb") as file:
        start = file.read(16)
        if start.startswith(_ZIP):
            raise EmbeddingFileError(f"{path} is a zip archive; unpack it, and give a file of it.")
        file.seek(0)
        # The bar counts packed bytes: the length of the unpacked content is unknown.
        with show_reading(file, path, progress) as packed:
            openers = (opener for magic, opener in _OPENERS.items() if magic.match(start))
            yield Stream(next(openers, lambda plain: plain)(packed), path)

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
    re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"): lambda file: _streams(
        file, bz2.BZ2Decompressor
    ),
    re.compile(rb"\xfd7zXZ\x00"): lambda file: _streams(file, lzma.LZMADecompressor),
}
_ZIP = b"PK\x03\x04"
# To read more at a time takes longer: for large buffers the system is asked for memory.
_PIECE_BYTES = 1 << 16
_DAMAGES = (EOFError, OSError, lzma.LZMAError, zlib.error)


class EmbeddingFileError(ValueError):
    """A file cannot be read as embeddings."""


class Stream:
    """The unpacked bytes of a file.

    Args:
        file: what they are read from.
        path: of the file, for messages.
    """

    def __init__(self, file: Any, path: str):
        self._file = file
        self._path = path

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, or fewer at the end, in pieces.

        Raises:
            EmbeddingFileError: as `read` does.
        """
        while size and (piece := self.read(min(size, _PIECE_BYTES))):
            yield piece
            size -= len(piece)

    def read(self, size: int) -> bytes:
        """The next `size` bytes, or fewer at the end.

        Raises:
            EmbeddingFileError: the file is packed, and is damaged.
        """
        try:
            return self._file.read(size)
        except _DAMAGES as error:
            raise EmbeddingFileError(
                f"{self._path} is damaged or cut off and cannot be unpacked ({error}); fetch it "
                "again."
            ) from error


class _Unpacked(io.RawIOBase):
    """The content of the packed streams in a file, one after the other.

    The files of the modules bz2 and lzma end at a stream of which the start is damaged, as
    if nothing followed. Files that were packed in parallel have many streams.

    Args:
        file: what is packed.
        unpacker: makes what unpacks one stream.
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
                if not (packed := self._start_of_next()):
                    break
                self._unpacker = self._make()
            elif self._unpacker.needs_input and not (packed := self._file.read(_PIECE_BYTES)):
                raise EOFError("it ends within a stream")
            data = self._unpacker.decompress(packed, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _start_of_next(self) -> bytes:
        packed = self._unpacker.unused_data
        # Zeros may be between streams and after the last.
        while not (start := packed.lstrip(b"\0")) and (packed := self._file.read(_PIECE_BYTES)):
            pass
        return start


def _streams(file: Any, unpacker: Callable[[], Any]) -> io.BufferedReader:
    return io.BufferedReader(_Unpacked(file, unpacker))


@contextlib.contextmanager
def opened(path: str, progress: bool | None = None) -> Iterator[Stream]:
    """Yields the content of a file, and shows how much of it has been read.

    Args:
        path: a file on any file system of TensorFlow. What it is packed with (gzip,
            bzip2 or xz) is told from its content, not from its name.
        progress: whether to show a bar on standard error; None shows it on a terminal.

    Raises:
        FileNotFoundError: nothing is at `path`.
        EmbeddingFileError: a directory is, or a zip archive.
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

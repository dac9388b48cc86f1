"""Writes tars whose bytes depend on the names and the contents of their files only."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable

from hubmodule import files

# Times of 1970 make GNU tar warn.
_TIME = 315532800  # 1980-01-01, in seconds since 1970
_MODE = 0o644
_FOLDER_MODE = 0o755


class TarWriter:
    """Writes a tar without times, owners and modes.

    Args:
        write: Takes the next bytes of the tar.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write_on = write
        self._written = 0
        self._folders: set[str] = set()

    def add(self, name: str, size: int, pieces: Iterable[bytes]) -> int:
        """Adds a file, and the folders above it.

        Args:
            name: Path of the file.
            size: Its size in bytes.
            pieces: Its content, cut anywhere.

        Returns:
            The size of the content in bytes. If that is not `size`, the tar is damaged.
        """
        for folder in reversed([*files.list_parents(name)]):
            # tensorflow_hub makes only the folders that an archive names.
            if folder not in self._folders:
                self._folders.add(folder)
                self._write_header(folder, 0, tarfile.DIRTYPE, _FOLDER_MODE)
        self._write_header(name, size, tarfile.REGTYPE, _MODE)
        start = self._written
        for piece in pieces:
            self._write(piece)
        found = self._written - start
        self._write(bytes(-size % tarfile.BLOCKSIZE))
        return found

    def end(self) -> None:
        """Writes the end of the tar."""
        end = 2 * tarfile.BLOCKSIZE
        self._write(bytes(end + -(self._written + end) % tarfile.RECORDSIZE))

    def _write_header(self, name: str, size: int, kind: bytes, mode: int) -> None:
        # A new TarInfo has no owner.
        header = tarfile.TarInfo(name)
        header.size, header.type, header.mode, header.mtime = size, kind, mode, _TIME
        self._write(header.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict"))

    def _write(self, piece: bytes) -> None:
        self._write_on(piece)
        self._written += len(piece)

"""What the cache needs of a file system: the local one, or any of TensorFlow's.

Both raise OSError and its children. They differ in one thing: a local folder takes its
final name in one step, while TensorFlow's file systems move its files one by one
(`ram://` even forgets them when a folder is renamed).
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import shutil
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol, cast

_PIECE = 1 << 20
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Storage(Protocol):
    """A file system."""

    moves_at_once: bool

    def read(self, path: str) -> bytes:
        """The content of a file. Raises FileNotFoundError."""

    def share_like(self, directory: str) -> None:
        """Gives the group what it has of a directory, from now on, to all that is written.

        The umask of one user would keep the others of the group from reading, using and
        removing it. Where nothing belongs to a group this does nothing.
        """

    def write(self, path: str, content: bytes) -> None:
        """Makes or overwrites a file."""

    def replace(self, source: str, target: str) -> None:
        """Gives a file the name of another, which it replaces in one step if the system can."""

    def chunks(self, path: str) -> Iterator[bytes]:
        """The content of a file, piece by piece. Raises FileNotFoundError."""

    def create(self, path: str) -> BinaryIO:
        """Opens a new file for writing. Raises FileExistsError."""

    def size(self, path: str) -> int | None:
        """The bytes of a file; None if there is no file."""

    def modified(self, path: str) -> float:
        """When a file was written, in seconds since 1970. Raises FileNotFoundError."""

    def exists(self, path: str) -> bool:
        """Whether there is a file or a folder."""

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder."""

    def names(self, folder: str) -> list[str]:
        """What is in a folder, in order; nothing if there is none."""

    def files(self, folder: str) -> dict[str, int]:
        """The size of each file below a folder, by its path below the folder."""

    def make_folder(self, path: str) -> None:
        """Makes a folder and its parents, where they are missing."""

    def move_folder(self, source: str, target: str) -> bool:
        """Gives a folder another name; False if something is there already."""

    def remove(self, path: str) -> None:
        """Removes a file, or a folder and all in it, if there is one."""


def storage_for(path: str) -> tuple[Storage, str]:
    """The file system that a path is on, and the path as that wants it."""
    if path.startswith("file://"):
        path = path[len("file://") :]
    if "://" in path:
        return TensorFlowStorage(), path.rstrip("/")
    return LocalStorage(), os.path.abspath(path)


class LocalStorage:
    """The local file system, through the system's own calls, which are faster than TensorFlow's."""

    moves_at_once = True

    def __init__(self) -> None:
        self._shared = 0

    def share_like(self, directory: str) -> None:
        self._shared = stat.S_IMODE(os.stat(directory).st_mode) & stat.S_IRWXG

    def read(self, path: str) -> bytes:
        with open(path, "rb") as file:
            return file.read()

    def write(self, path: str, content: bytes) -> None:
        with open(path, "wb", opener=self._open) as file:
            file.write(content)

    def replace(self, source: str, target: str) -> None:
        if os.path.isdir(target):
            shutil.rmtree(target)
        os.replace(source, target)

    def chunks(self, path: str) -> Iterator[bytes]:
        with open(path, "rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def create(self, path: str) -> BinaryIO:
        # An archive may name folders only in the paths of its files.
        self.make_folder(os.path.dirname(path))
        return open(path, "xb", opener=self._open)

    def size(self, path: str) -> int | None:
        try:
            status = os.stat(path)
        except OSError as error:
            if error.errno in _NOTHING_THERE:
                return None
            raise
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def modified(self, path: str) -> float:
        return os.stat(path).st_mtime

    def version(self, path: str) -> str:
        """What changes when a file does; empty if there is no file."""
        try:
            status = os.stat(path)
        except OSError:
            return ""
        return f"{status.st_size}-{status.st_mtime_ns}"

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def is_folder(self, path: str) -> bool:
        return os.path.isdir(path)

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def files(self, folder: str) -> dict[str, int]:
        found = {}
        for parent, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(parent, name)
                size = self.size(path)
                # Another process may remove what is listed here.
                if size is not None:
                    found[os.path.relpath(path, folder).replace(os.sep, "/")] = size
        return found

    def make_folder(self, path: str) -> None:
        if os.path.isdir(path):
            return
        self.make_folder(os.path.dirname(path))
        try:
            os.mkdir(path)
        except FileExistsError:
            if not os.path.isdir(path):
                raise
        else:
            self._allow(path, os.stat(path), self._shared)

    def move_folder(self, source: str, target: str) -> bool:
        if os.path.isdir(target) and not os.listdir(target):
            # What a cleaner left of a module. It is not to be mistaken for one.
            with contextlib.suppress(OSError):
                os.rmdir(target)
        try:
            os.rename(source, target)
        except OSError:
            if os.path.lexists(target):
                return False
            raise
        return True

    def remove(self, path: str) -> None:
        try:
            os.remove(path)
        except FileNotFoundError:
            return
        except OSError:
            # Several processes may sweep the same litter.
            shutil.rmtree(path, ignore_errors=True)

    def _open(self, path: str, flags: int) -> int:
        file = os.open(path, flags, 0o666)
        if self._shared:
            self._allow(file, os.fstat(file), self._shared & 0o666)
        return file

    def _allow(self, path: str | int, status: os.stat_result, bits: int) -> None:
        mode = stat.S_IMODE(status.st_mode)
        if bits & ~mode:
            # Some file systems have no modes to change.
            with contextlib.suppress(OSError):
                os.chmod(path, mode | bits)


class TensorFlowStorage:
    """Any file system that TensorFlow knows: ram://, gs://, and what plug-ins add."""

    moves_at_once = False

    def __init__(self) -> None:
        import tensorflow as tf

        from hubmodule import files

        self._files = files
        self._gfile = tf.io.gfile
        self._errors = tf.errors

    def share_like(self, directory: str) -> None:
        pass

    def read(self, path: str) -> bytes:
        with self.translated(path):
            return self._files.read_bytes(path)

    def write(self, path: str, content: bytes) -> None:
        # On ram://, "wb" appends to what is there.
        self.remove(path)
        with self.translated(path):
            self._gfile.makedirs(posixpath.dirname(path))
            self._files.write_bytes(path, content)

    def replace(self, source: str, target: str) -> None:
        with self.translated(source):
            self._gfile.rename(source, target, overwrite=True)

    def chunks(self, path: str) -> Iterator[bytes]:
        with self.translated(path), self.open(path, "rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def create(self, path: str) -> BinaryIO:
        with self.translated(path):
            self._gfile.makedirs(posixpath.dirname(path))
            if self._gfile.exists(path):
                raise FileExistsError(f"{path} is there already")
            return cast(BinaryIO, _GFileWriter(self, path))

    def size(self, path: str) -> int | None:
        try:
            with self.translated(path):
                status = self._gfile.stat(path)
        except FileNotFoundError:
            return None
        return None if status.is_directory else status.length

    def modified(self, path: str) -> float:
        with self.translated(path):
            return self._gfile.stat(path).mtime_nsec / 1e9

    def exists(self, path: str) -> bool:
        with self.translated(path):
            return self._gfile.exists(path)

    def is_folder(self, path: str) -> bool:
        with self.translated(path):
            return self._gfile.isdir(path)

    def names(self, folder: str) -> list[str]:
        try:
            with self.translated(folder):
                return sorted(name.rstrip("/") for name in self._gfile.listdir(folder))
        except FileNotFoundError:
            return []

    def files(self, folder: str) -> dict[str, int]:
        found = {}
        with self.translated(folder):
            for parent, _, names in self._gfile.walk(folder):
                for name in names:
                    path = posixpath.join(parent, name)
                    size = self.size(path)
                    # ram:// lists the file "m.json" in the folder "m" too, as ".json".
                    if size is not None:
                        found[path[len(folder) :].lstrip("/")] = size
        return found

    def make_folder(self, path: str) -> None:
        with self.translated(path):
            self._gfile.makedirs(path)

    def move_folder(self, source: str, target: str) -> bool:
        if self.files(target):
            return False
        with self.translated(target):
            for name in self.files(source):
                path = posixpath.join(target, name)
                self._gfile.makedirs(posixpath.dirname(path))
                self._gfile.rename(posixpath.join(source, name), path, overwrite=True)
        self.remove(source)
        return True

    def remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError), self.translated(path):
            if self._gfile.isdir(path):
                self._gfile.rmtree(path)
            else:
                self._gfile.remove(path)

    def open(self, path: str, mode: str) -> Any:
        """TensorFlow's own file, whose methods raise TensorFlow's errors."""
        return self._gfile.GFile(path, mode)

    @contextlib.contextmanager
    def translated(self, path: str) -> Iterator[None]:
        """Turns TensorFlow's errors into Python's, in this one place."""
        try:
            yield
        except self._errors.NotFoundError as error:
            raise FileNotFoundError(f"{path} does not exist") from error
        except self._errors.AlreadyExistsError as error:
            raise FileExistsError(f"{path} is there already") from error
        except self._errors.PermissionDeniedError as error:
            raise PermissionError(f"{path}: {error.message}") from error
        except self._errors.OpError as error:
            raise OSError(f"{path}: {error.message}") from error


class _GFileWriter:
    """A GFile that takes a memoryview, and raises OSError, as files do."""

    def __init__(self, storage: TensorFlowStorage, path: str):
        self._storage = storage
        self._path = path
        self._file = storage.open(path, "wb")

    def write(self, piece: memoryview) -> None:
        with self._storage.translated(self._path):
            self._file.write(bytes(piece))

    def __enter__(self) -> _GFileWriter:
        return self

    def __exit__(self, *error: object) -> None:
        with self._storage.translated(self._path):
            self._file.close()

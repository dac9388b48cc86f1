"""The local file system and TensorFlow's file systems, with the same methods.

Both raise OSError and its subclasses. They differ in one thing: a local directory is renamed in
one step, while the files of a directory in TensorFlow's file systems are moved one by one (ram://
loses the files of a directory that is renamed). Only TensorFlowFileSystem imports TensorFlow.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import shutil
import stat
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

from hubmodule import files
from hubmodule._plain_errors import TensorFlowUnavailableError

_PIECE = 1 << 20  # bytes
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class LocalFileSystem:
    """The local file system, through the system's own calls, which are faster than TensorFlow's."""

    def __init__(self) -> None:
        self._group_bits = 0

    def share_like(self, directory: str) -> None:
        """Makes new files and directories accessible to the group of a directory.

        They get the permissions that the group has on the directory. With the umask alone,
        other users of the group may not be able to read and remove them.

        Args:
            directory: Path of the directory.
        """
        self._group_bits = stat.S_IMODE(os.stat(directory).st_mode) & stat.S_IRWXG

    def read(self, path: str) -> bytes:
        """Reads a file."""
        with open(path, "rb") as file:
            return file.read()

    def read_pieces(self, path: str) -> Iterator[bytes]:
        """Reads a file, at most 1 MiB at a time."""
        with open(path, "rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def write(self, path: str, content: bytes) -> None:
        """Makes or overwrites a file."""
        with open(path, "wb", opener=self._open) as file:
            file.write(content)

    def open_new(self, path: str) -> BinaryIO:
        """Opens a new file for writing, and makes the directories that it needs.

        Raises:
            FileExistsError: If the file exists.
        """
        self.make_directory(os.path.dirname(path))
        return open(path, "xb", opener=self._open)

    def replace_file(self, source: str, target: str) -> None:
        """Replaces a file, or a directory, by another file; in one step if that is possible."""
        if os.path.isdir(target):
            shutil.rmtree(target)
        os.replace(source, target)

    def get_size(self, path: str) -> int | None:
        """Returns the size of a file in bytes; None if it is missing or not a file."""
        try:
            status = os.stat(path)
        except OSError as error:
            if error.errno in _NOTHING_THERE:
                return None
            raise
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def get_mtime(self, path: str) -> float:
        """Returns when a file was written, in seconds since 1970."""
        return os.stat(path).st_mtime

    def get_fingerprint(self, path: str) -> str:
        """Returns a string that changes if the file changes; "" if this is not known."""
        try:
            status = os.stat(path)
        except OSError:
            return ""
        return f"{status.st_size}-{status.st_mtime_ns}"

    def exists(self, path: str) -> bool:
        """Whether a file or directory exists."""
        return os.path.exists(path)

    def is_directory(self, path: str) -> bool:
        """Whether a directory exists."""
        return os.path.isdir(path)

    def list_names(self, directory: str) -> list[str]:
        """Lists the names in a directory, sorted; an empty list if it is missing."""
        try:
            return sorted(os.listdir(directory))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def list_sizes(self, directory: str) -> dict[str, int]:
        """Returns the size in bytes of each file below a directory, by its path below it."""
        found = {}
        for parent, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(parent, name)
                size = self.get_size(path)
                # Another process may remove what is listed here.
                if size is not None:
                    found[os.path.relpath(path, directory).replace(os.sep, "/")] = size
        return found

    def make_directory(self, path: str) -> None:
        """Makes a directory and its parents if they do not exist."""
        if os.path.isdir(path):
            return
        self.make_directory(os.path.dirname(path))
        try:
            os.mkdir(path)
        except FileExistsError:
            if not os.path.isdir(path):
                raise
        else:
            self._add_mode(path, os.stat(path), self._group_bits)

    def move_directory(self, source: str, target: str, markers: Collection[str]) -> bool:
        """Moves a directory to a path at which nothing exists.

        Args:
            source: Path of the directory.
            target: Its new path. An empty directory there is replaced.
            markers: Names of files without which the directory does not count. Where a
                directory cannot be renamed in one step, these files are moved last.

        Returns:
            False if something is at `target` already.
        """
        if os.path.isdir(target) and not os.listdir(target):
            # A service that cleans temporary directories may leave it. On Windows, os.rename
            # does not replace it.
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
        """Removes a file, or a directory with its content, if it exists."""
        try:
            os.remove(path)
        except FileNotFoundError:
            return
        except OSError:
            # Several processes may remove the same directory.
            shutil.rmtree(path, ignore_errors=True)

    def _open(self, path: str, flags: int) -> int:
        file = os.open(path, flags, 0o666)
        if self._group_bits:
            self._add_mode(file, os.fstat(file), self._group_bits & 0o666)
        return file

    def _add_mode(self, path: str | int, status: os.stat_result, bits: int) -> None:
        mode = stat.S_IMODE(status.st_mode)
        if bits & ~mode:
            # Some file systems have no modes to change.
            with contextlib.suppress(OSError):
                os.chmod(path, mode | bits)


class TensorFlowFileSystem:
    """Any file system that TensorFlow knows; the methods are those of LocalFileSystem."""

    def __init__(self, path: str = "") -> None:
        tf = _import_tensorflow(path)
        self._gfile = tf.io.gfile
        self._errors = tf.errors

    def share_like(self, directory: str) -> None:
        pass

    def read(self, path: str) -> bytes:
        with self.translate_errors(path):
            return files.read_bytes(path)

    def read_pieces(self, path: str) -> Iterator[bytes]:
        with self.translate_errors(path), self.open(path, "rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def write(self, path: str, content: bytes) -> None:
        # On ram://, "wb" appends to what is there.
        self.remove(path)
        with self.translate_errors(path):
            self._gfile.makedirs(posixpath.dirname(path))
            files.write_bytes(path, content)

    def open_new(self, path: str) -> BinaryIO:
        with self.translate_errors(path):
            self._gfile.makedirs(posixpath.dirname(path))
            if self._gfile.exists(path):
                raise FileExistsError(f"{path} exists already")
        return _Writer(self, path)  # type: ignore[return-value]

    def replace_file(self, source: str, target: str) -> None:
        with self.translate_errors(source):
            self._gfile.rename(source, target, overwrite=True)

    def get_size(self, path: str) -> int | None:
        try:
            with self.translate_errors(path):
                status = self._gfile.stat(path)
        except FileNotFoundError:
            return None
        return None if status.is_directory else status.length

    def get_mtime(self, path: str) -> float:
        with self.translate_errors(path):
            return self._gfile.stat(path).mtime_nsec / 1e9

    def get_fingerprint(self, path: str) -> str:
        return ""

    def exists(self, path: str) -> bool:
        with self.translate_errors(path):
            return self._gfile.exists(path)

    def is_directory(self, path: str) -> bool:
        with self.translate_errors(path):
            return self._gfile.isdir(path)

    def list_names(self, directory: str) -> list[str]:
        try:
            with self.translate_errors(directory):
                return sorted(name.rstrip("/") for name in self._gfile.listdir(directory))
        except FileNotFoundError:
            return []

    def list_sizes(self, directory: str) -> dict[str, int]:
        with self.translate_errors(directory):
            # ram:// lists the file "m.json" in the directory "m" too, as ".json".
            sizes = {
                name: self.get_size(f"{directory}/{name}") for name in files.list_files(directory)
            }
        return {name: size for name, size in sizes.items() if size is not None}

    def make_directory(self, path: str) -> None:
        with self.translate_errors(path):
            self._gfile.makedirs(path)

    def move_directory(self, source: str, target: str, markers: Collection[str]) -> bool:
        if self.list_sizes(target):
            return False
        with self.translate_errors(target):
            files.move_files(source, target, markers, overwrite=True)
        self.remove(source)
        return True

    def remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError), self.translate_errors(path):
            if self._gfile.isdir(path):
                self._gfile.rmtree(path)
            else:
                self._gfile.remove(path)

    def open(self, path: str, mode: str) -> Any:
        """Opens TensorFlow's own file, whose methods raise TensorFlow's errors."""
        return self._gfile.GFile(path, mode)

    @contextlib.contextmanager
    def translate_errors(self, path: str) -> Iterator[None]:
        """Translates TensorFlow's errors to Python's."""
        try:
            yield
        except self._errors.NotFoundError as error:
            raise FileNotFoundError(f"{path} does not exist") from error
        except self._errors.AlreadyExistsError as error:
            raise FileExistsError(f"{path} exists already") from error
        except self._errors.PermissionDeniedError as error:
            raise PermissionError(f"{path}: {error.message}") from error
        except self._errors.OpError as error:
            raise OSError(f"{path}: {error.message}") from error


FileSystem = LocalFileSystem | TensorFlowFileSystem


def find_file_system(path: str) -> tuple[FileSystem, str]:
    """Returns the file system of a path, and the path in the form that its methods take."""
    path = path.removeprefix("file://")
    if "://" in path:
        return TensorFlowFileSystem(path), path.rstrip("/")
    return LocalFileSystem(), os.path.abspath(path)


def list_schemes(path: str) -> list[str]:
    """Lists the schemes of TensorFlow's file systems, e.g. "gs".

    Args:
        path: Path whose file system is needed, for the error message.

    Raises:
        TensorFlowUnavailableError: If TensorFlow is not installed.
    """
    return sorted(_import_tensorflow(path).io.gfile.get_registered_schemes())


def _import_tensorflow(path: str) -> Any:
    try:
        import tensorflow as tf
    except ImportError as error:
        raise TensorFlowUnavailableError(
            f"{path} is on a file system that needs TensorFlow, which is not installed: "
            "pip install 'tensorflow>=2.15', or use a local path."
        ) from error
    return tf


class _Writer:
    """A file on a file system of TensorFlow, whose methods raise OSError."""

    def __init__(self, file_system: TensorFlowFileSystem, path: str):
        self._file_system = file_system
        self._path = path
        self._file = file_system.open(path, "wb")

    def write(self, piece: bytes | memoryview) -> None:
        with self._file_system.translate_errors(self._path):
            self._file.write(bytes(piece))

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *error: object) -> None:
        with self._file_system.translate_errors(self._path):
            self._file.close()

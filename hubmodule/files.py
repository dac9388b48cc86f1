"""TensorFlow's file systems: whole files, and directories that appear complete or not at all."""

from __future__ import annotations

import contextlib
import posixpath
import uuid
from collections.abc import Iterator

import tensorflow as tf

from hubmodule.errors import ExportExistsError, ModuleFormatError


def read_bytes(path: str) -> bytes:
    """The content of a file.

    Raises:
        tf.errors.NotFoundError: if it does not exist.
    """
    with tf.io.gfile.GFile(path, "rb") as file:
        return file.read()


def write_bytes(path: str, content: bytes) -> None:
    """Writes a new file."""
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(content)


def join_inside(directory: str, name: str) -> str:
    """A path below a directory, for a name out of a file that nobody vouches for.

    Raises:
        ModuleFormatError: if the name leaves the directory ("../x", "/etc/passwd",
            "gs://other/x"), which would let a module read files of its user.
    """
    normal = posixpath.normpath(name.replace("\\", "/"))
    first, slash, _ = normal.partition("/")
    # "x:/..." is a drive or a file system; C++ ends a path at "\0".
    if not name or first in ("", ".", "..") or (slash and first.endswith(":")) or "\0" in name:
        raise ModuleFormatError(
            f"The file name {name!r} points outside of {directory}. The module is damaged or "
            "hostile; do not use it."
        )
    return posixpath.join(directory, normal)


@contextlib.contextmanager
def new_directory(path: str, marker: str, overwrite: bool = False) -> Iterator[str]:
    """A temporary directory that takes its final place when the block ends without an error.

    Args:
        path: the final place. Missing parents are made.
        marker: the file in it without which it does not count. Where a directory cannot
            be renamed at once, this file comes last.
        overwrite: whether a directory with the marker may be replaced.

    Yields:
        An empty directory beside `path`, to be filled.

    Raises:
        ExportExistsError: if something is at `path` that may not be replaced.
    """
    path = path.rstrip("/")
    _check_free(path, marker, overwrite)
    temporary = _sibling(path, "tmp")
    tf.io.gfile.makedirs(temporary)
    try:
        yield temporary
        _check_free(path, marker, overwrite)
        move_directory(temporary, path, marker)
    finally:
        if tf.io.gfile.exists(temporary):
            tf.io.gfile.rmtree(temporary)


def _sibling(path: str, kind: str) -> str:
    """A new path in the same directory; hidden, and no extension of the path itself.

    ram:// takes "m" to exist where "m.tmp" does.
    """
    parent, slash, name = path.rpartition("/")
    return f"{parent}{slash}.{kind}-{uuid.uuid4().hex[:12]}-{name}"


def _check_free(path: str, marker: str, overwrite: bool) -> None:
    if not tf.io.gfile.exists(path):
        return
    if not tf.io.gfile.isdir(path):
        raise ExportExistsError(f"{path} is a file, not a directory; choose another path.")
    if not tf.io.gfile.listdir(path):
        return
    if not tf.io.gfile.exists(posixpath.join(path, marker)):
        raise ExportExistsError(
            f"{path} exists already and holds something else than a module; choose another path."
        )
    if not overwrite:
        raise ExportExistsError(
            f"{path} exists already; choose another path, or pass overwrite=True to replace the "
            "module that is there."
        )


def move_directory(source: str, path: str, marker: str) -> None:
    """Moves a directory to a path where there is nothing, or what it shall replace.

    Args:
        source: the directory, on the same file system.
        path: its new place.
        marker: the name of the files that come last, where it moves file by file.
    """
    if "://" in path:
        _move_files(source, path, marker)
        return
    if not tf.io.gfile.exists(path):
        tf.io.gfile.rename(source, path)
        return
    old = _sibling(path, "old")
    tf.io.gfile.rename(path, old)
    try:
        tf.io.gfile.rename(source, path)
    except BaseException:
        tf.io.gfile.rename(old, path)
        raise
    tf.io.gfile.rmtree(old)


def _move_files(source: str, target: str, marker: str) -> None:
    """Moves a directory file by file, for stores that have no directories to rename."""
    if tf.io.gfile.exists(target):
        tf.io.gfile.rmtree(target)
    try:
        for name in sorted(_files_below(source), key=lambda name: (_is_marker(name, marker), name)):
            destination = posixpath.join(target, name)
            tf.io.gfile.makedirs(posixpath.dirname(destination))
            tf.io.gfile.rename(posixpath.join(source, name), destination)
    except BaseException:
        if tf.io.gfile.exists(target):
            tf.io.gfile.rmtree(target)
        raise


def _is_marker(name: str, marker: str) -> bool:
    return posixpath.basename(name) == marker


def _files_below(directory: str) -> Iterator[str]:
    """The paths of all files below a directory, relative to it."""
    for folder, _, names in tf.io.gfile.walk(directory):
        for name in names:
            yield posixpath.join(folder, name)[len(directory) :].lstrip("/")

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
    outside = normal.startswith(("/", "..")) or ":" in normal.split("/")[0]
    if not name or normal == "." or outside:
        raise ModuleFormatError(
            f"The file name {name!r} points outside of {directory}. The module is damaged or "
            "hostile; do not use it."
        )
    return posixpath.join(directory, normal)


@contextlib.contextmanager
def new_directory(path: str, overwrite: bool = False) -> Iterator[str]:
    """A temporary directory that takes its final place when the block ends without an error.

    Args:
        path: the final place. Missing parents are made.
        overwrite: whether a non-empty directory may be replaced.

    Yields:
        An empty directory beside `path`, to be filled.

    Raises:
        ExportExistsError: if something is at `path` that may not be replaced.
    """
    path = path.rstrip("/")
    _check_free(path, overwrite)
    temporary = f"{path}.tmp-{uuid.uuid4().hex[:12]}"
    tf.io.gfile.makedirs(temporary)
    try:
        yield temporary
        _check_free(path, overwrite)
        _replace(temporary, path)
    except BaseException:
        if tf.io.gfile.exists(temporary):
            tf.io.gfile.rmtree(temporary)
        raise


def _check_free(path: str, overwrite: bool) -> None:
    if not tf.io.gfile.exists(path):
        return
    if not tf.io.gfile.isdir(path):
        raise ExportExistsError(f"{path} is a file, not a directory; choose another path.")
    if tf.io.gfile.listdir(path) and not overwrite:
        raise ExportExistsError(
            f"{path} exists already and is not empty; choose another path or remove it first."
        )


def _replace(temporary: str, path: str) -> None:
    """Renames a directory to a path where an empty or a replaceable one may be."""
    if not tf.io.gfile.exists(path):
        tf.io.gfile.rename(temporary, path)
        return
    old = f"{path}.old-{uuid.uuid4().hex[:12]}"
    tf.io.gfile.rename(path, old)
    try:
        tf.io.gfile.rename(temporary, path)
    except BaseException:
        tf.io.gfile.rename(old, path)
        raise
    tf.io.gfile.rmtree(old)

"""TensorFlow's file systems: whole files, and directories that appear complete or not at all."""

from __future__ import annotations

import contextlib
import os
import posixpath
import uuid
from collections.abc import Iterator

import tensorflow as tf

from hubmodule.errors import ExportExistsError, ModuleDefinitionError, ModuleFormatError


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
def new_directory(
    path: str | os.PathLike[str], marker: str, overwrite: bool = False
) -> Iterator[str]:
    """A temporary directory that takes its final place when the block ends without an error.

    A directory at the final place that does not have the marker keeps its files: what was
    made is moved into it, the marker last, and taken out again if that fails.

    Args:
        path: the final place. Missing parents are made; links are followed, and stay.
        marker: the file in it without which it does not count. Where a directory cannot
            be renamed at once, this file comes last.
        overwrite: whether a directory with the marker may be replaced, and in one without
            it the files that have the names of new ones.

    Yields:
        An empty directory beside `path`, to be filled.

    Raises:
        ExportExistsError: if something is at `path` that may not be replaced.
        ModuleDefinitionError: if `path` is empty.
    """
    path = _final_place(os.fsdecode(path))
    _check_free(path, marker, overwrite)
    temporary = _sibling(path, "tmp")
    tf.io.gfile.makedirs(temporary)
    try:
        yield temporary
        _check_free(path, marker, overwrite)
        _replace(temporary, path, marker, overwrite)
    finally:
        if tf.io.gfile.exists(temporary):
            tf.io.gfile.rmtree(temporary)


def _final_place(path: str) -> str:
    if not path:
        raise ModuleDefinitionError("The path to export to is empty; give that of a directory.")
    # A link can be neither renamed onto nor taken for the directory that it leads to.
    return path.rstrip("/") if "://" in path else os.path.realpath(path)


def _sibling(path: str, kind: str) -> str:
    """A new path in the same directory; hidden, and no extension of the path itself.

    ram:// takes "m" to exist where "m.tmp" does.
    """
    parent, slash, name = path.rpartition("/")
    # Cut off, as the whole may be as long as a name can be.
    return f"{parent}{slash}.{kind}-{uuid.uuid4().hex[:12]}-{name[:50]}"


def _check_free(path: str, marker: str, overwrite: bool) -> None:
    if not tf.io.gfile.exists(path):
        return
    if not tf.io.gfile.isdir(path):
        raise ExportExistsError(f"{path} is a file, not a directory; choose another path.")
    if not overwrite and tf.io.gfile.exists(posixpath.join(path, marker)):
        raise ExportExistsError(
            f"{path} exists already; choose another path, or pass overwrite=True to replace the "
            "module that is there."
        )


def _replace(temporary: str, path: str, marker: str, overwrite: bool) -> None:
    """Moves a directory to a path where a replaceable one, or one without marker, may be."""
    if _has_other_files(path, marker):
        _move_into(temporary, path, marker, overwrite)
        return
    if "://" in path:
        if tf.io.gfile.exists(path):
            tf.io.gfile.rmtree(path)
        _move_into(temporary, path, marker, overwrite)
        return
    try:
        # Replaces an empty directory only, whatever another process has put there meanwhile.
        tf.io.gfile.rename(temporary, path, overwrite=True)
    except (tf.errors.FailedPreconditionError, tf.errors.AlreadyExistsError):
        _check_free(path, marker, overwrite)
        if not overwrite:
            raise
        _exchange(temporary, path)


def _has_other_files(path: str, marker: str) -> bool:
    return (
        tf.io.gfile.isdir(path)
        and bool(tf.io.gfile.listdir(path))
        and not tf.io.gfile.exists(posixpath.join(path, marker))
    )


def _exchange(temporary: str, path: str) -> None:
    """Moves a directory to the place of another, which is removed."""
    old = _sibling(path, "old")
    tf.io.gfile.rename(path, old)
    try:
        tf.io.gfile.rename(temporary, path)
    except BaseException:
        tf.io.gfile.rename(old, path)
        raise
    tf.io.gfile.rmtree(old)


def _move_into(source: str, target: str, marker: str, overwrite: bool) -> None:
    """Moves all files of a directory into another, the marker last; all of them or none.

    Args:
        source: the directory to empty.
        target: the directory to fill. It may hold other files, which stay.
        marker: the name of the file to move last.
        overwrite: whether files in `target` may be replaced.

    Raises:
        ExportExistsError: if a file in `target` would be replaced, and may not be.
    """
    names = sorted(_files_below(source), key=lambda name: (_is_marker(name, marker), name))
    taken = [name for name in names if _is_taken(target, name)]
    if taken and not overwrite:
        raise _holds(target, taken[0])
    replaced = _sibling(target, "old")
    with contextlib.ExitStack() as undo:
        undo.callback(_remove_if_empty, replaced)
        for name in taken:
            _move_file(target, replaced, name)
            undo.callback(_move_file, replaced, target, name)
        for name in names:
            try:
                _move_file(source, target, name)
            except tf.errors.AlreadyExistsError as error:  # another process was faster
                raise _holds(target, name) from error
            except BaseException:
                _remove_file(target, name)  # of stores that copy a file to rename it
                raise
            undo.callback(_remove_file, target, name)
        undo.pop_all()
    if taken:
        tf.io.gfile.rmtree(replaced)


def _is_taken(directory: str, name: str) -> bool:
    """Whether a file of this name is there already.

    Raises:
        ExportExistsError: if it cannot be replaced by a file, or written at all.
    """
    for parent in _parents(name):
        path = posixpath.join(directory, parent)
        if tf.io.gfile.exists(path) and not tf.io.gfile.isdir(path):
            raise ExportExistsError(f"{path} is a file, not a directory; choose another path.")
    path = posixpath.join(directory, name)
    if tf.io.gfile.isdir(path):
        raise ExportExistsError(f"{path} is a directory, not a file; choose another path.")
    return tf.io.gfile.exists(path)


def _parents(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name):
        yield name


def _holds(directory: str, name: str) -> ExportExistsError:
    return ExportExistsError(
        f"{directory} exists already and holds {name}; choose another path, or pass "
        "overwrite=True to replace that file."
    )


def _move_file(source: str, target: str, name: str) -> None:
    destination = posixpath.join(target, name)
    tf.io.gfile.makedirs(posixpath.dirname(destination))
    tf.io.gfile.rename(posixpath.join(source, name), destination)


def _remove_file(directory: str, name: str) -> None:
    """Removes a file, and the folders that are empty without it; neither needs to be there."""
    with contextlib.suppress(tf.errors.NotFoundError):
        tf.io.gfile.remove(posixpath.join(directory, name))
    for parent in _parents(name):
        path = posixpath.join(directory, parent)
        if tf.io.gfile.isdir(path) and not tf.io.gfile.listdir(path):
            tf.io.gfile.rmtree(path)


def _remove_if_empty(directory: str) -> None:
    if tf.io.gfile.isdir(directory) and not any(_files_below(directory)):
        tf.io.gfile.rmtree(directory)


def _is_marker(name: str, marker: str) -> bool:
    return posixpath.basename(name) == marker


def _files_below(directory: str) -> Iterator[str]:
    """The paths of all files below a directory, relative to it."""
    for folder, _, names in tf.io.gfile.walk(directory):
        for name in names:
            yield posixpath.join(folder, name)[len(directory) :].lstrip("/")

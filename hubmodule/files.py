"""Reads and writes whole files, and directories that appear complete or not at all.

The functions that read and write take any path that TensorFlow knows, raise TensorFlow's errors,
and import TensorFlow when they are called.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import uuid
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hubmodule.errors import ExportExistsError


def read_bytes(path: str) -> bytes:
    """Reads a file on any file system.

    Raises:
        tf.errors.NotFoundError: If it does not exist.
    """
    if "://" not in path:
        # TensorFlow takes ten times as long for a local file. If this fails, it raises its error.
        with contextlib.suppress(OSError), open(path, "rb") as local:
            return local.read()
    with _get_gfile().GFile(path, "rb") as file:
        return file.read()


def write_bytes(path: str, content: bytes) -> None:
    """Writes a new file on any file system."""
    with _get_gfile().GFile(path, "wb") as file:
        file.write(content)


def is_inside(name: str) -> bool:
    """Whether an untrusted file name stays below the directory that it is joined to.

    False for "../x", "/etc/passwd", "C:/x", "gs://other/x", and for the directory itself.
    """
    normal = posixpath.normpath(name.replace("\\", "/"))
    first, slash, _ = normal.partition("/")
    # "x:/..." is a drive or a file system; C++ ends a path at "\0".
    is_elsewhere = first in ("", ".", "..") or (bool(slash) and first.endswith(":"))
    return bool(name) and not is_elsewhere and "\0" not in name


def join_inside(directory: str, name: str) -> str:
    """Joins a directory and an untrusted file name.

    Args:
        directory: Path of the directory.
        name: Path of a file below the directory, from an untrusted source.

    Raises:
        ModuleFormatError: If the name leaves the directory, which would let a module read
            files of its user.
    """
    if not is_inside(name):
        from hubmodule.errors import ModuleFormatError

        raise ModuleFormatError(
            f"The file name {name!r} points outside of {directory}. The module is damaged or "
            "hostile; do not use it."
        )
    return posixpath.join(directory, posixpath.normpath(name.replace("\\", "/")))


@contextlib.contextmanager
def make_directory(
    path: str | os.PathLike[str],
    marker: str,
    overwrite: bool = False,
    entries: Collection[str] | None = None,
) -> Iterator[str]:
    """Makes a temporary directory that is moved to its final path when the block ends.

    If the block raises an error, the temporary directory is removed. If a directory with other
    files is at the final path, these files stay: the new files are moved into it, the marker
    last, and are removed from it again if that fails.

    Args:
        path: Final path of the directory. Missing parents are made; links are followed, and
            stay.
        marker: Name of the file without which the directory does not count. Where a
            directory cannot be renamed in one step, this file is moved last.
        overwrite: Whether to replace an earlier directory with the marker, and files that
            have the names of new ones.
        entries: Names of the files and directories that are removed where an earlier
            directory is replaced; None means all.

    Yields:
        An empty directory beside `path`, to be filled.

    Raises:
        ExportExistsError: If `path` has something that may not be replaced.
        ModuleDefinitionError: If `path` is empty.
    """
    path = _get_final_path(os.fsdecode(path))
    _check_free(path, marker, overwrite)
    temporary = _make_sibling_path(path, "tmp")
    _get_gfile().makedirs(temporary)
    try:
        yield temporary
        _check_free(path, marker, overwrite)
        _replace(temporary, path, marker, overwrite, entries)
    finally:
        if _get_gfile().exists(temporary):
            _get_gfile().rmtree(temporary)


def _get_final_path(path: str) -> str:
    if not path:
        from hubmodule.errors import ModuleDefinitionError

        raise ModuleDefinitionError("The path to export to is empty; give that of a directory.")
    # A link can be neither renamed onto nor taken for the directory that it leads to.
    return path.rstrip("/") if "://" in path else os.path.realpath(path)


def _make_sibling_path(path: str, kind: str) -> str:
    """Makes a new path in the same directory, whose name begins with a dot.

    It does not begin with the name of `path`: for ram://, "m" exists if "m.tmp" does.
    """
    parent, slash, name = path.rpartition("/")
    # Cut off, as the name may already have the largest length.
    return f"{parent}{slash}.{kind}-{uuid.uuid4().hex[:12]}-{name[:50]}"


def _check_free(path: str, marker: str, overwrite: bool) -> None:
    from hubmodule.errors import ExportExistsError

    if not _get_gfile().exists(path):
        return
    if not _get_gfile().isdir(path):
        raise ExportExistsError(f"{path} is a file, not a directory; choose another path.")
    if not overwrite and _get_gfile().exists(posixpath.join(path, marker)):
        raise ExportExistsError(
            f"{path} exists already; choose another path, or pass overwrite=True to replace the "
            "module that is there."
        )


def _replace(
    temporary: str, path: str, marker: str, overwrite: bool, entries: Collection[str] | None
) -> None:
    """Moves a directory to a path, which may have other files, or a directory to replace."""
    import tensorflow as tf

    present = _list_entries(path)
    own = set() if marker not in present else present if entries is None else {*entries} & present
    if present - own:
        _replace_entries(temporary, path, own, marker, overwrite)
        return
    if "://" in path:
        if _get_gfile().exists(path):
            _get_gfile().rmtree(path)
        move_files(temporary, path, (marker,), overwrite)
        return
    try:
        # Replaces only an empty directory, even if another process has filled it meanwhile.
        _get_gfile().rename(temporary, path, overwrite=True)
    except (tf.errors.FailedPreconditionError, tf.errors.AlreadyExistsError):
        _check_free(path, marker, overwrite)
        if not overwrite:
            raise
        _exchange(temporary, path)


def _list_entries(path: str) -> set[str]:
    """Lists the names in a directory; none if it does not exist."""
    return (
        {n.rstrip("/") for n in _get_gfile().listdir(path)} if _get_gfile().isdir(path) else set()
    )


def _replace_entries(
    temporary: str, path: str, own: Collection[str], marker: str, overwrite: bool
) -> None:
    """Moves the files of a directory into another, where they replace some of its entries.

    Args:
        temporary: Path of the directory to move.
        path: Path of the directory to fill.
        own: Names of the entries of `path` to replace.
        marker: Name of the file that is moved last, and removed first.
        overwrite: Whether other files in `path` may be replaced.
    """
    old = _make_sibling_path(path, "old")
    names = [name for name in list_files(path) if name.partition("/")[0] in own]
    with contextlib.ExitStack() as undo:
        undo.callback(_remove_if_empty, old)
        for name in sorted(names, key=lambda name: (name != marker, name)):
            _move_file(path, old, name)
            undo.callback(_move_file, old, path, name)
        move_files(temporary, path, (marker,), overwrite)
        undo.pop_all()
    for name in own:
        _remove_if_empty(posixpath.join(path, name))
    if _get_gfile().isdir(old):
        _get_gfile().rmtree(old)


def _exchange(temporary: str, path: str) -> None:
    """Replaces a directory by another."""
    old = _make_sibling_path(path, "old")
    _get_gfile().rename(path, old)
    try:
        _get_gfile().rename(temporary, path)
    except BaseException:
        _get_gfile().rename(old, path)
        raise
    _get_gfile().rmtree(old)


def move_files(source: str, target: str, markers: Collection[str], overwrite: bool) -> None:
    """Moves all files of a directory into another, or none if one cannot be moved.

    Args:
        source: Path of the directory to empty.
        target: Path of the directory to fill. It may hold other files, which stay.
        markers: Names of the files to move last.
        overwrite: Whether files in `target` may be replaced.

    Raises:
        ExportExistsError: If a file in `target` would be replaced, and `overwrite` is False.
    """
    import tensorflow as tf

    names = sorted(list_files(source), key=lambda name: (posixpath.basename(name) in markers, name))
    taken = [name for name in names if _is_taken(target, name)]
    if taken and not overwrite:
        raise _make_taken_error(target, taken[0])
    replaced = _make_sibling_path(target, "old")
    with contextlib.ExitStack() as undo:
        undo.callback(_remove_if_empty, replaced)
        for name in taken:
            _move_file(target, replaced, name)
            undo.callback(_move_file, replaced, target, name)
        for name in names:
            try:
                _move_file(source, target, name)
            except tf.errors.AlreadyExistsError as error:  # another process was faster
                raise _make_taken_error(target, name) from error
            except BaseException:
                _remove_file(target, name)  # some stores rename a file by copying it
                raise
            undo.callback(_remove_file, target, name)
        undo.pop_all()
    if taken:
        _get_gfile().rmtree(replaced)


def _is_taken(directory: str, name: str) -> bool:
    """Whether a directory already has a file of this name.

    Raises:
        ExportExistsError: If a file cannot be written there, because the name is that of a
            directory, or a parent is a file.
    """
    from hubmodule.errors import ExportExistsError

    for parent in list_parents(name):
        path = posixpath.join(directory, parent)
        if _get_gfile().exists(path) and not _get_gfile().isdir(path):
            raise ExportExistsError(f"{path} is a file, not a directory; choose another path.")
    path = posixpath.join(directory, name)
    if _get_gfile().isdir(path):
        raise ExportExistsError(f"{path} is a directory, not a file; choose another path.")
    return _get_gfile().exists(path)


def list_parents(name: str) -> Iterator[str]:
    """Yields the paths of the directories that contain a file, the innermost first."""
    while name := posixpath.dirname(name):
        yield name


def _make_taken_error(directory: str, name: str) -> ExportExistsError:
    from hubmodule.errors import ExportExistsError

    return ExportExistsError(
        f"{directory} exists already and holds {name}; choose another path, or pass "
        "overwrite=True to replace that file."
    )


def _move_file(source: str, target: str, name: str) -> None:
    destination = posixpath.join(target, name)
    _get_gfile().makedirs(posixpath.dirname(destination))
    _get_gfile().rename(posixpath.join(source, name), destination)


def _remove_file(directory: str, name: str) -> None:
    """Removes a file if it exists, and its parents if they are then empty."""
    import tensorflow as tf

    with contextlib.suppress(tf.errors.NotFoundError):
        _get_gfile().remove(posixpath.join(directory, name))
    for parent in list_parents(name):
        path = posixpath.join(directory, parent)
        if _get_gfile().isdir(path) and not _get_gfile().listdir(path):
            _get_gfile().rmtree(path)


def _remove_if_empty(directory: str) -> None:
    if _get_gfile().isdir(directory) and not any(list_files(directory)):
        _get_gfile().rmtree(directory)


def list_files(directory: str) -> Iterator[str]:
    """Lists the paths of all files below a directory, relative to it."""
    for folder, _, names in _get_gfile().walk(directory):
        for name in names:
            path = posixpath.join(folder, name)
            # ram:// lists the file "m.json" in the directory "m" too, as ".json".
            if not name.startswith(".") or _get_gfile().exists(path):
                yield path[len(directory) :].lstrip("/")


def _get_gfile() -> Any:
    """Returns tf.io.gfile. Importing it at the top would make all of the resolver need it."""
    import tensorflow as tf

    return tf.io.gfile

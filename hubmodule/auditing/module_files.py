"""Tells the files of a module from other files, also through links."""

from __future__ import annotations

import functools
import os
import posixpath

from hubmodule.format import saved_model

_WILDCARDS = frozenset("*?[\\")


class ModuleFiles:
    """The files of a module.

    Args:
        directory: The directory of the module, or its address on a remote file system.
    """

    def __init__(self, directory: str):
        self._is_local = "://" not in directory
        self._folders = [self._resolve(directory)]
        # Where the module is, as paths may name it, and the folder of the file that is read.
        self._names = {self._folders[0]}
        self._origin = self._folders[0]
        if self._is_local:
            self._names.add(os.path.abspath(directory))
            self._origin = _find_origin(directory)
            if _is_store(self._origin, self._folders[0]):
                self._folders.append(self._origin)

    def has_path(self, path: str) -> bool:
        """Whether a constant path leads to files of the module where it is now.

        A relative path does not: it depends on the directory of the process that runs the graph.
        """
        is_absolute = os.path.isabs(path) if self._is_local else "://" in path
        return is_absolute and not self.find_target(path)

    def find_target(self, path: str) -> str:
        """Returns the path outside of the module that a path leads to; "" if it leads inside.

        Args:
            path: The path of a file, or the prefix of the paths of files, as checkpoints have, or
                a pattern of paths. A link that any of them may be leads outside if its target does.
        """
        if not self._has_file(path):
            return self._resolve(path) if "\0" not in path else path
        way = self._resolve(path)
        is_pattern = not _WILDCARDS.isdisjoint(path)
        for link, target in self._links.items():
            if is_pattern or link.startswith(way):
                return target
        return ""

    def _has_file(self, path: str) -> bool:
        if not path or "\0" in path or (self._is_local and "://" in path):
            return False
        # TensorFlow removes '..' from some paths before the file system follows their links.
        ways = {self._resolve(path), self._resolve(posixpath.normpath(path))}
        return all(self._is_own(path, way) for way in ways)

    def _is_own(self, path: str, target: str) -> bool:
        """Whether the target of a path is a file of the module.

        It is also one if the module consists of links to the files of another directory, as those
        that Bazel makes for tests, and the file has the same place there.
        """
        if any(_is_below(target, folder) for folder in self._folders):
            return True
        place = os.path.abspath(path) if self._is_local else path
        return any(
            target == os.path.join(self._origin, os.path.relpath(place, name))
            for name in self._names
            if self._is_local and _is_below(place, name)
        )

    @functools.cached_property
    def _links(self) -> dict[str, str]:
        """The links among the files of the module that lead outside -> their targets."""
        # Links to folders are not followed, so that the walk ends; the origin has their files.
        roots = {self._folders[0], self._origin} if self._is_local else ()
        paths = (
            os.path.join(folder, name)
            for root in roots
            for folder, folders, names in os.walk(root)
            for name in (*folders, *names)
        )
        targets = {path: os.path.realpath(path) for path in paths if os.path.islink(path)}
        return {path: to for path, to in targets.items() if not self._is_own(path, to)}

    def _resolve(self, path: str) -> str:
        return os.path.realpath(path) if self._is_local else posixpath.normpath(path)


def _find_origin(directory: str) -> str:
    """Finds the folder of the file with the graphs, which may be a link."""
    # A link without a target is as if it did not exist: the other file is read.
    paths = (os.path.join(directory, name) for name in (saved_model.BINARY, saved_model.TEXT))
    read = next(filter(os.path.exists, paths), None)
    return os.path.dirname(os.path.realpath(read)) if read else os.path.realpath(directory)


def _is_store(folder: str, directory: str) -> bool:
    """Whether a folder has the files of a module in a cache that links to them.

    Caches of Hugging Face have `blobs/` beside `snapshots/`. No other folder is a store: a link to
    a graph in it does not make the other files there the module's own.
    """
    parent, name = os.path.split(folder)
    return name == "blobs" and _is_below(directory, parent)


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(posixpath.join(folder, ""))

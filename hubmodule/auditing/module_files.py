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
        store = self._find_store(directory) if self._is_local else ""
        if store:
            self._folders.append(store)

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
        return all(any(_is_below(way, folder) for folder in self._folders) for way in ways)

    @functools.cached_property
    def _links(self) -> dict[str, str]:
        """The links in the directory of the module that lead outside -> their targets."""
        found = {}
        for folder, folders, names in os.walk(self._folders[0]) if self._is_local else ():
            for path in (os.path.join(folder, name) for name in (*folders, *names)):
                if os.path.islink(path):
                    target = os.path.realpath(path)
                    if not any(_is_below(target, inside) for inside in self._folders):
                        found[path] = target
        return found

    def _find_store(self, directory: str) -> str:
        """Finds the folder that has the files of a module in a cache that links to them; or "".

        Caches of Hugging Face have `blobs/` beside `snapshots/`. No other folder counts, so that a
        link to a graph in a folder of others does not make the files there the module's own.
        """
        # The file that is read: a link without a target is as if it did not exist.
        names = (saved_model.BINARY, saved_model.TEXT)
        paths = (os.path.join(directory, name) for name in names)
        read = next(filter(os.path.exists, paths), directory)
        folder = os.path.dirname(os.path.realpath(read))
        parent, name = os.path.split(folder)
        is_store = name == "blobs" and _is_below(self._folders[0], parent)
        return folder if is_store and not _is_below(self._folders[0], folder) else ""

    def _resolve(self, path: str) -> str:
        return os.path.realpath(path) if self._is_local else posixpath.normpath(path)


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(posixpath.join(folder, ""))

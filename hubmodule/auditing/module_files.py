"""Tells the files of a module from other files, also through links."""

from __future__ import annotations

import os
import posixpath

from hubmodule.format import saved_model


class ModuleFiles:
    """The files of a module.

    Args:
        directory: The directory of the module, or its address on a remote file system.
    """

    def __init__(self, directory: str):
        self._is_local = "://" not in directory
        self._folders = [self._resolve(directory)]
        # Some caches keep the files of a module in another folder and links to them here.
        folder = posixpath.dirname(self._resolve(posixpath.join(directory, saved_model.BINARY)))
        if not _is_below(self._folders[0], folder):
            self._folders.append(folder)

    def has_file(self, path: str) -> bool:
        """Whether a path leads, also through links, to a file of the module where it is now."""
        if not path or "\0" in path or (self._is_local and "://" in path):
            return False
        # TensorFlow removes '..' from some paths before the file system follows their links.
        ways = {self._resolve(path), self._resolve(posixpath.normpath(path))}
        return all(any(_is_below(way, folder) for folder in self._folders) for way in ways)

    def find_target(self, path: str) -> str:
        """Returns the path outside of the module that a link leads to; "" if it leads inside."""
        return "" if self.has_file(path) else self._resolve(path)

    def _resolve(self, path: str) -> str:
        return os.path.realpath(path) if self._is_local else posixpath.normpath(path)


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(posixpath.join(folder, ""))

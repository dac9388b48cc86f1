"""Tells the files of a module from others, whatever links there are."""

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
        # Some caches keep all files of a module in one other folder, and links here.
        folder = posixpath.dirname(self._resolve(posixpath.join(directory, saved_model.BINARY)))
        if not _is_inside(self._folders[0], folder):
            self._folders.append(folder)

    def contain(self, path: str) -> bool:
        """Whether a path leads to one of the files, through links too, where the module is now."""
        if not path or "\0" in path or (self._is_local and "://" in path):
            return False
        # TensorFlow takes '..' out of some paths before the file system follows links in them.
        ways = {self._resolve(path), self._resolve(posixpath.normpath(path))}
        return all(any(_is_inside(way, folder) for folder in self._folders) for way in ways)

    def find_target(self, path: str) -> str:
        """The path of the file that a link of the module leads to, if that is elsewhere; or ""."""
        return "" if self.contain(path) else self._resolve(path)

    def _resolve(self, path: str) -> str:
        return os.path.realpath(path) if self._is_local else posixpath.normpath(path)


def _is_inside(path: str, folder: str) -> bool:
    return path.startswith(posixpath.join(folder, ""))

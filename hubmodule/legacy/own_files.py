"""Decides which Python files belong to a program, and not to an installed library."""

from __future__ import annotations

import os
import site
import sysconfig
from collections.abc import Iterable, Mapping
from typing import Any

# Names of directories with installed packages, also those inside of a program's directory.
INSTALLED = frozenset({"site-packages", "dist-packages"})

# Packages that need TensorFlow as it is, also when a program is run from their checkout or is one
# of their modules, as with -m tensorflow.python.tools.freeze_graph.
_NEVER_OWN = frozenset({"hubmodule", "tensorflow"})


class OwnFiles:
    """The files of a program: those below its directories, and those of named packages.

    Args:
        directories: Directories of the program. Packages installed below one of them, as in a
            virtual environment, are not the program's.
        packages: Names of top-level packages that belong to the program wherever they are.
    """

    def __init__(self, directories: Iterable[str] = (), packages: Iterable[str] = ()):
        self.directories = tuple(dict.fromkeys(map(os.path.realpath, directories)))
        self.packages = tuple(dict.fromkeys(packages))
        self._known: dict[str, bool] = {}

    def has_module(self, namespace: Mapping[str, Any] | None) -> bool:
        """Whether a module with these global variables is the program's.

        Args:
            namespace: Global variables of the module; None is not a module.
        """
        if namespace is None:
            return False
        package = (namespace.get("__package__") or namespace.get("__name__") or "").split(".")[0]
        if package in _NEVER_OWN:
            return False
        if package in self.packages:
            return True
        file = namespace.get("__file__")
        return isinstance(file, str) and self._has_file(file)

    def add(self, other: OwnFiles) -> None:
        """Adds the files of another program."""
        self.directories = tuple(dict.fromkeys(self.directories + other.directories))
        self.packages = tuple(dict.fromkeys(self.packages + other.packages))
        self._known.clear()

    def _has_file(self, file: str) -> bool:
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = self._is_below_directory(os.path.realpath(file))
        return known

    def _is_below_directory(self, path: str) -> bool:
        for directory in self.directories:
            if not path.startswith(os.path.join(directory, "")):
                continue
            below = path[len(directory) :].split(os.sep)
            if INSTALLED.isdisjoint(below) and not _is_in_library(path, directory):
                return True
        return False


def _is_in_library(path: str, directory: str) -> bool:
    """Whether a path is in Python's library, where that is below the program's directory."""
    paths = sysconfig.get_paths()
    libraries = [paths["stdlib"], paths["platstdlib"], *site.getsitepackages()]
    return any(
        path.startswith(os.path.join(library, ""))
        for library in map(os.path.realpath, libraries)
        if library.startswith(os.path.join(directory, ""))
    )

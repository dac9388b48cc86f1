"""The Python files of a program: those that are named, and its own that these import."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Iterator

from hubmodule._plain_errors import SourceError
from hubmodule.legacy.notebooks import SUFFIX
from hubmodule.legacy.own_files import INSTALLED


class Sources:
    """Goes through the files of programs, each once, in the order in which they are found.

    Args:
        paths: Python files, notebooks, and directories, which stand for all of these below them
            that are not installed packages.

    Raises:
        SourceError: If a path does not exist, is a zip archive, or is a directory without
            Python files.
    """

    def __init__(self, paths: Iterable[str]):
        self.named: list[str] = []
        self._named_files: set[str] = set()
        self._directories: list[str] = []
        for path in paths:
            if os.path.isdir(path):
                self._directories.append(path)
                self.named += _list_python_files(path)
            elif zipfile.is_zipfile(path):
                raise SourceError(f"{path} is a zip archive; unpack it and name the directory")
            elif os.path.isfile(path):
                self._directories.append(os.path.dirname(path))
                self._named_files.add(path)
                self.named.append(path)
            else:
                raise SourceError(f"{path} does not exist; name a Python file or a directory")
        self._found = list(dict.fromkeys(self.named))
        self._known = set(self._found)
        self._imported: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        # Files are added while this runs.
        yield from self._found

    def add_imported(self, name: str, importer: str) -> None:
        """Adds the file of an imported module, if it is the program's own.

        Args:
            name: Full name of the module, or of something in it.
            importer: Path of the file that imports it.
        """
        parts = name.split(".")
        bases = (
            os.path.join(directory, *parts[:end])
            for directory in self._list_directories(importer)
            for end in range(len(parts), 0, -1)
        )
        for base in bases:
            for path in (f"{base}.py", os.path.join(base, "__init__.py")):
                if os.path.isfile(path):
                    self._imported.add(path)
                    if path not in self._known:
                        self._known.add(path)
                        self._found.append(path)
                    return

    def has_module(self, name: str, importer: str) -> bool:
        """Whether a top-level module or package is the program's own.

        Args:
            name: Name of the module.
            importer: Path of the file that imports it.
        """
        return any(_is_module(directory, name) for directory in self._list_directories(importer))

    def is_named(self, path: str) -> bool:
        """Whether a file was named itself, not by its directory, and no other file imports it."""
        return path in self._named_files and path not in self._imported

    def _list_directories(self, importer: str) -> list[str]:
        """Lists where Python looks for what a file imports: first in the directory of a script."""
        directory = os.path.dirname(importer)
        if os.path.isfile(os.path.join(directory, "__init__.py")):
            return self._directories
        return [directory, *self._directories]


def is_beside(name: str, importer: str) -> bool:
    """Whether a top-level module is only found beside a file, as in Python 2.

    Args:
        name: Name of the module.
        importer: Path of the file that imports it.
    """
    return _is_module(os.path.dirname(importer), name)


def _is_module(directory: str, name: str) -> bool:
    base = os.path.join(directory, name)
    return os.path.isdir(base) or os.path.isfile(f"{base}.py")


def _list_python_files(directory: str) -> list[str]:
    files: list[str] = []
    for parent, directories, names in os.walk(directory):
        directories[:] = sorted(
            name for name in directories if not _is_skipped(os.path.join(parent, name))
        )
        paths = [
            os.path.join(parent, name) for name in sorted(names) if name.endswith((".py", SUFFIX))
        ]
        # A link may lead nowhere.
        files += filter(os.path.isfile, paths)
    if not files:
        raise SourceError(f"{directory} has no Python files; name a program or its directory")
    return files


def _is_skipped(directory: str) -> bool:
    """Whether a directory is hidden, or has installed packages."""
    name = os.path.basename(directory)
    is_environment = os.path.isfile(os.path.join(directory, "pyvenv.cfg"))
    return name.startswith(".") or name in INSTALLED or is_environment

"""The Python files of a program: those that are named, and its own that these import."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from hubmodule._plain_errors import SourceError
from hubmodule.legacy.own_files import INSTALLED


class Sources:
    """Goes through the files of programs, each once, in the order in which they are found.

    Args:
        paths: Python files, and directories, which stand for all Python files below them that
            are not installed packages.

    Raises:
        SourceError: If a path does not exist, or is a directory without Python files.
    """

    def __init__(self, paths: Iterable[str]):
        self.named: list[str] = []
        self._directories: list[str] = []
        for path in paths:
            if os.path.isdir(path):
                self._directories.append(path)
                self.named += _list_python_files(path)
            elif os.path.isfile(path):
                self._directories.append(os.path.dirname(path))
                self.named.append(path)
            else:
                raise SourceError(f"{path} does not exist; name a Python file or a directory")
        self._found = list(dict.fromkeys(self.named))

    def __iter__(self) -> Iterator[str]:
        # Files are added while this runs.
        yield from self._found

    def add_imported(self, name: str) -> None:
        """Adds the file of an imported module, if it is the program's own.

        Args:
            name: Full name of the module, or of something in it.
        """
        parts = name.split(".")
        bases = (
            os.path.join(directory, *parts[:end])
            for directory in self._directories
            for end in range(len(parts), 0, -1)
        )
        for base in bases:
            for path in (f"{base}.py", os.path.join(base, "__init__.py")):
                if os.path.isfile(path):
                    if path not in self._found:
                        self._found.append(path)
                    return

    def has_module(self, name: str) -> bool:
        """Whether a top-level module or package is the program's own."""
        bases = [os.path.join(directory, name) for directory in self._directories]
        return any(os.path.isdir(base) or os.path.isfile(f"{base}.py") for base in bases)


def _list_python_files(directory: str) -> list[str]:
    files = []
    for parent, directories, names in os.walk(directory):
        directories[:] = sorted(
            name for name in directories if not _is_skipped(os.path.join(parent, name))
        )
        files += [os.path.join(parent, name) for name in sorted(names) if name.endswith(".py")]
    if not files:
        raise SourceError(f"{directory} has no Python files; name a program or its directory")
    return files


def _is_skipped(directory: str) -> bool:
    """Whether a directory is hidden, or has installed packages."""
    name = os.path.basename(directory)
    is_environment = os.path.isfile(os.path.join(directory, "pyvenv.cfg"))
    return name.startswith(".") or name in INSTALLED or is_environment

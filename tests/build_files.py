"""The targets that BUILD files define, read without Bazel: a BUILD file is run as Python.

Starlark is nearly a subset of Python, and these files stay within it. The rules become
functions that note their arguments.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_RULES = ("filegroup", "genrule", "py_binary", "py_library", "py_test")


@dataclass(frozen=True)
class Target:
    """One target; labels are absolute, files are paths from the workspace's root."""

    label: str
    rule: str
    srcs: frozenset[str]
    deps: frozenset[str]
    visibility: tuple[str, ...]


class Workspace:
    """The BUILD files of a directory and the files that they speak of.

    Attributes:
      files: paths of all files, from the root, but for those in directories that
        .bazelignore names, in hidden ones and in __pycache__.
      targets: label -> Target.
    """

    def __init__(self, root: Path):
        self._root = root
        self.files = _files(root)
        self._packages = {os.path.dirname(file) for file in self.files if _is_build_file(file)}
        self.targets: dict[str, Target] = {}
        for package in sorted(self._packages):
            self._run(f"{package}/BUILD".lstrip("/"), package, self._functions(package))

    def sources(self, label: str) -> frozenset[str]:
        """The sources of a target and of all that it depends on."""
        return frozenset().union(*(self.targets[name].srcs for name in self.reach(label)))

    def reach(self, label: str) -> set[str]:
        """The labels of a target and of all that it depends on."""
        reached, waiting = set(), [label]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += self.targets[name].deps
        return reached

    def _run(self, file: str, package: str, functions: Mapping[str, Callable]) -> dict[str, Any]:
        """Runs a BUILD or .bzl file for `package`; the names it defines."""

        def load(label: str, *symbols: str) -> None:
            if not label.startswith("@"):  # Those are the rules, which are there already.
                defined = self._run(_file_of(label, package), package, functions)
                names.update({symbol: defined[symbol] for symbol in symbols})

        names = {**functions, "native": SimpleNamespace(**functions), "load": load}
        exec(compile((self._root / file).read_text(), file, "exec"), names)
        return names

    def _functions(self, package: str) -> dict[str, Callable]:
        defaults: dict[str, tuple[str, ...]] = {"visibility": ("//visibility:private",)}

        def set_defaults(default_visibility: Iterable[str] = ()) -> None:
            defaults["visibility"] = tuple(default_visibility)

        def glob(
            include: Iterable[str], exclude: Iterable[str] = (), allow_empty: bool = False
        ) -> list[str]:
            return self._glob(package, include, exclude)

        def rule(kind: str) -> Callable:
            return lambda name, **arguments: self._add(package, kind, name, arguments, defaults)

        return {
            "package": set_defaults,
            "package_name": lambda: package,
            "exports_files": lambda files, visibility=None: None,
            "glob": glob,
            **{kind: rule(kind) for kind in _RULES},
        }

    def _glob(self, package: str, include: Iterable[str], exclude: Iterable[str]) -> list[str]:
        prefix = f"{package}/" if package else ""
        own = [
            file.removeprefix(prefix)
            for file in self.files
            if file.startswith(prefix) and self._package_of(file) == package
        ]
        return [
            file
            for file in own
            if any(_matches(file, pattern) for pattern in include)
            and not any(_matches(file, pattern) for pattern in exclude)
        ]

    def _package_of(self, file: str) -> str:
        directory = os.path.dirname(file)
        while directory not in self._packages:
            directory = os.path.dirname(directory)
        return directory

    def _add(
        self,
        package: str,
        rule: str,
        name: str,
        arguments: Mapping[str, Any],
        defaults: Mapping[str, tuple[str, ...]],
    ) -> None:
        label = f"//{package}:{name}"
        self.targets[label] = Target(
            label=label,
            rule=rule,
            srcs=frozenset(_file_of(src, package) for src in arguments.get("srcs", ())),
            deps=frozenset(_absolute(dep, package) for dep in arguments.get("deps", ())),
            visibility=tuple(arguments.get("visibility", defaults["visibility"])),
        )


def _files(root: Path) -> list[str]:
    ignored = set((root / ".bazelignore").read_text().split())
    found = []
    for directory, subdirectories, names in os.walk(root):
        here = Path(directory).relative_to(root)
        subdirectories[:] = sorted(
            name
            for name in subdirectories
            if (here / name).as_posix() not in ignored
            and name != "__pycache__"
            and not name.startswith(".")
        )
        found += [(here / name).as_posix() for name in sorted(names)]
    return found


def _is_build_file(file: str) -> bool:
    return os.path.basename(file) == "BUILD"


def _absolute(label: str, package: str) -> str:
    """`//p:t` of `:t`, `t`, `//p` or `//p:t`."""
    if not label.startswith("//"):
        return f"//{package}:{label.removeprefix(':')}"
    return label if ":" in label else f"{label}:{label.rpartition('/')[2]}"


def _file_of(label: str, package: str) -> str:
    """The path that a label has as a file."""
    directory, _, name = _absolute(label, package).removeprefix("//").partition(":")
    return f"{directory}/{name}".lstrip("/")


def _matches(file: str, pattern: str) -> bool:
    expression = re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*\*", ".*")
    return re.fullmatch(expression.replace(r"\*", "[^/]*"), file) is not None

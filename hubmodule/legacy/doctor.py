"""Reads programs, without running them, for what does not work on today's TensorFlow."""

from __future__ import annotations

import ast
import io
import os
import re
import shlex
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from hubmodule._plain_errors import SourceError
from hubmodule.legacy import replaced_modules
from hubmodule.legacy.imports import (
    Use,
    find_bound_names,
    find_uses,
    walk_without_version_checks,
)
from hubmodule.legacy.name_advice import explain_name, find_api_version, is_importable
from hubmodule.legacy.notebooks import SUFFIX, Notebook, parse_notebook
from hubmodule.legacy.sources import Sources, is_beside

# Version of the form of Report.to_dict().
SCHEMA = 1

_IS_PROGRAM = re.compile(r"""__name__\s*==\s*["']__main__["']|\b(app|tf)\.run\(""")


class Finding(NamedTuple):
    """Something in a program that does not work.

    Attributes:
        path: Path of the file; for a notebook, with the number of the code cell: "a.ipynb, cell 2".
        line: Line of the file or cell, counted from 1.
        name: What the program uses, e.g. "tf.contrib.learn.Experiment".
        reason: Why it does not work, and what to do.
    """

    path: str
    line: int
    name: str
    reason: str


class Place(NamedTuple):
    """A name that a program uses, and where.

    Attributes:
        path: Path of the file; for a notebook, with the number of the code cell: "a.ipynb, cell 2".
        line: Line of the file or cell, counted from 1.
        name: The name, e.g. "tf.placeholder".
    """

    path: str
    line: int
    name: str


_Found = TypeVar("_Found", Finding, Place)


class Report(NamedTuple):
    """What `examine` found.

    Attributes:
        files: Paths of the files that were read.
        findings: What does not work, by file and line.
        tensorflow_1_uses: What needs `hubmodule run --tf1`, by file and line.
        commands: A command line for each program among the files that were named.
    """

    files: tuple[str, ...]
    findings: tuple[Finding, ...]
    tensorflow_1_uses: tuple[Place, ...]
    commands: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns the report for JSON."""
        return {
            "schema": SCHEMA,
            "files": list(self.files),
            "findings": [finding._asdict() for finding in self.findings],
            "tensorflow_1_uses": [place._asdict() for place in self.tensorflow_1_uses],
            "commands": list(self.commands),
        }


class _File(NamedTuple):
    """What was found in a file.

    Attributes:
        path: Path of the file.
        findings: What does not work. In a notebook, lines are those of all its code together.
        tensorflow_1_uses: Names that only TensorFlow 1 has.
        tensorflow_2_uses: Names that only TensorFlow 2 has.
        is_guarded: Whether it has code for the case that it is run.
        is_script: Whether it does something when it is imported, beyond definitions.
        is_relative: Whether it imports relative to its package.
        notebook: Its code, if it is a notebook.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    tensorflow_1_uses: tuple[Place, ...] = ()
    tensorflow_2_uses: tuple[Place, ...] = ()
    is_guarded: bool = False
    is_script: bool = False
    is_relative: bool = False
    notebook: Notebook | None = None


def examine(paths: Sequence[str]) -> Report:
    """Reads programs, and the files of their own that they import.

    Args:
        paths: Python files, notebooks, and directories, which stand for all of these below them
            that are not installed packages.

    Returns:
        What does not work under `hubmodule run`, and how to run the programs.

    Raises:
        SourceError: If a path does not exist, or a file cannot be read.
    """
    sources = Sources(paths)
    files = [_examine_file(path, sources) for path in sources]
    findings = {finding for file in files for finding in file.findings}
    places = {place for file in files for place in file.tensorflow_1_uses}
    if places:
        findings.update(
            _explain_tensorflow_2(place) for file in files for place in file.tensorflow_2_uses
        )
    notebooks = {file.path: file.notebook for file in files if file.notebook}
    named = set(sources.named)
    return Report(
        tuple(file.path for file in files),
        tuple(_locate(finding, notebooks) for finding in sorted(findings)),
        tuple(_locate(place, notebooks) for place in sorted(places)),
        tuple(
            _make_command(file.path, ["--tf1"] if places else [], file.is_relative)
            for file in files
            if (file.is_guarded and file.path in named)
            or (file.is_script and sources.is_named(file.path))
        ),
    )


def _examine_file(path: str, sources: Sources) -> _File:
    """Reads a file; adds the program's own files that it imports to the sources."""
    file = _File(path)
    try:
        source = _read(path)
        if path.endswith(SUFFIX):
            notebook = parse_notebook(source)
            file = file._replace(notebook=notebook)
            source = notebook.source
        else:
            file = file._replace(is_guarded=_IS_PROGRAM.search(source) is not None)
        tree = _parse(source, path)
    except (SyntaxError, ValueError) as error:
        return file._replace(findings=(_make_syntax_finding(path, error),))
    findings = list(_find_python_2(path, tree))
    places: dict[int | None, list[Place]] = {1: [], 2: [], None: []}
    for use in find_uses(tree):
        if use.is_import:
            sources.add_imported(use.name, path)
        name = _abbreviate(use.name)
        reason = None if use.is_guarded else _explain(use, path, sources)
        if reason is not None:
            findings.append(Finding(path, use.line, name, reason))
        places[find_api_version(use.name)].append(Place(path, use.line, name))
    return file._replace(
        findings=tuple(findings),
        tensorflow_1_uses=tuple(places[1]),
        tensorflow_2_uses=tuple(places[2]),
        is_script=file.notebook is None and _is_script(tree),
        is_relative=_has_relative_imports(tree),
    )


def _locate(found: _Found, notebooks: Mapping[str, Notebook]) -> _Found:
    """Returns a finding or place with the cell, if it is in a notebook."""
    notebook = notebooks.get(found.path)
    if notebook is None:
        return found
    cell, line = notebook.locate(found.line)
    return found._replace(path=f"{found.path}, cell {cell}", line=line)


def _make_command(path: str, options: Sequence[str], is_relative: bool) -> str:
    """Returns the command line that runs a program.

    Args:
        path: Path of the program.
        options: Options of `hubmodule run`.
        is_relative: Whether it imports relative to its package, so that Python has to know that.
    """
    command = ["hubmodule", "run", *options]
    if not is_relative or not _is_package(os.path.dirname(path)):
        return shlex.join([*command, path])
    directory, name = os.path.split(os.path.splitext(path)[0])
    parts = [] if name == "__main__" else [name]
    while _is_package(directory):
        directory, package = os.path.split(os.path.abspath(directory))
        parts.insert(0, package)
    run = shlex.join([*command, "-m", ".".join(parts)])
    return run if directory == os.getcwd() else f"cd {shlex.quote(directory)} && {run}"


def _is_package(directory: str) -> bool:
    return os.path.isfile(os.path.join(directory, "__init__.py"))


def _read(path: str) -> str:
    """Returns the text of a Python file or notebook.

    Raises:
        SourceError: If the file cannot be opened.
        SyntaxError, ValueError: If Python cannot decode it.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error}") from error
    if b"\0" in content:
        raise ValueError("it is not a text; leave it out")
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    return io.TextIOWrapper(io.BytesIO(content), encoding).read()


def _parse(source: str, path: str) -> ast.Module:
    try:
        return ast.parse(source, path)
    except (RecursionError, MemoryError) as error:
        raise ValueError("its expressions are nested too deeply; split them") from error


def _is_script(tree: ast.Module) -> bool:
    body = tree.body if ast.get_docstring(tree) is None else tree.body[1:]
    return any(isinstance(node, (ast.Expr, ast.For, ast.While, ast.With)) for node in body)


def _has_relative_imports(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


def _make_syntax_finding(path: str, error: Exception) -> Finding:
    if isinstance(error, UnicodeDecodeError):
        line = error.object.count(b"\n", 0, error.start) + 1
        reason = (
            "its bytes are not UTF-8; begin the file with `# -*- coding: latin-1 -*-`, or alike"
        )
        return Finding(path, line, "encoding", reason)
    if not isinstance(error, SyntaxError):
        return Finding(path, 1, "syntax", str(error))
    reason = f"it is not Python 3 ({error.msg}); convert it, for example with futurize"
    return Finding(path, error.lineno or 1, "syntax", reason)


def _explain(use: Use, path: str, sources: Sources) -> str | None:
    """Returns why a use does not work and what to do, or None if it works or is unknown."""
    reason = explain_name(use.name, use.is_import)
    top = use.name.partition(".")[0]
    if reason is not None or not use.is_import or top in ("tensorflow", "tensorflow_hub"):
        return reason
    if sources.has_module(top, path) or is_importable(top):
        return None
    if is_beside(top, path):
        return f"Python 3 does not import it from the package itself; use `from . import {top}`"
    dropped = replaced_modules.DROPPED_FROM_PYTHON.get(top)
    if dropped is not None:
        return f"this version of Python does not have it; {dropped}"
    package = replaced_modules.DISTRIBUTIONS.get(top, top)
    return f"the package is not installed; pip install {package}"


def _explain_tensorflow_2(place: Place) -> Finding:
    reason = (
        "TensorFlow 1 does not have it, and other lines need the API of TensorFlow 1; "
        f"write tf.compat.v2{place.name.removeprefix('tf')}"
    )
    return Finding(*place, reason)


def _abbreviate(name: str) -> str:
    return re.sub(r"^tensorflow(?=\.|$)", "tf", name)


def _find_python_2(path: str, tree: ast.Module) -> Iterator[Finding]:
    """Yields the functions and methods that Python 3 does not have."""
    own = find_bound_names(tree)
    for node in walk_without_version_checks(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in own:
            successor = replaced_modules.PYTHON_2_NAMES.get(node.id)
            if successor is not None:
                reason = f"Python 3 does not have it; use {successor}"
                yield Finding(path, node.lineno, node.id, reason)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            successor = replaced_modules.PYTHON_2_METHODS.get(node.func.attr)
            is_function = isinstance(node.func.value, ast.Name) and node.func.value.id == "six"
            if successor is not None and not is_function and node.func.attr not in own:
                reason = f"dictionaries of Python 3 do not have it; use {successor}"
                yield Finding(path, node.lineno, f".{node.func.attr}()", reason)

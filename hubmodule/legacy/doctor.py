"""Reads programs, without running them, for what does not work on today's TensorFlow."""

from __future__ import annotations

import ast
import functools
import glob
import importlib.metadata
import importlib.util
import io
import os
import re
import shlex
import sys
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from hubmodule import alias
from hubmodule._plain_errors import SourceError
from hubmodule.legacy import api_names, contrib_parts, private_names, replaced_modules
from hubmodule.legacy.imports import (
    Use,
    find_bound_names,
    find_uses,
    walk_without_version_checks,
)
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
    named = set(sources.named)
    files, findings = [], set[Finding]()
    places: dict[int, set[Place]] = {1: set(), 2: set()}
    guarded, scripts, relative = set(), set(), set()
    notebooks: dict[str, Notebook] = {}
    for path in sources:
        files.append(path)
        try:
            source = _read(path)
            if path.endswith(SUFFIX):
                notebooks[path] = parse_notebook(source)
                source = notebooks[path].source
            elif path in named and _IS_PROGRAM.search(source):
                guarded.add(path)
            tree = _parse(source, path)
        except (SyntaxError, ValueError) as error:
            findings.add(_make_syntax_finding(path, error))
            continue
        if path not in notebooks and _is_script(tree):
            scripts.add(path)
        if _has_relative_imports(tree):
            relative.add(path)
        findings.update(_find_python_2(path, tree))
        for use in find_uses(tree):
            if use.is_import:
                sources.add_imported(use.name, path)
            reason = None if use.is_guarded else _explain(use, path, sources)
            if reason is not None:
                findings.add(Finding(path, use.line, _abbreviate(use.name), reason))
            api = _find_api(use.name)
            if api is not None:
                places[api].add(Place(path, use.line, _abbreviate(use.name)))
    if places[1]:
        findings.update(_explain_tensorflow_2(place) for place in places[2])
    option = ["--tf1"] if places[1] else []
    commands = tuple(
        _make_command(path, option, path in relative)
        for path in files
        if path in guarded or (path in scripts and sources.is_named(path))
    )
    return Report(
        tuple(files),
        tuple(_locate(finding, notebooks) for finding in sorted(findings)),
        tuple(_locate(place, notebooks) for place in sorted(places[1])),
        commands,
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
    """Whether a file does something when it is imported, beyond definitions."""
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
    """Returns why a name does not work and what to do, or None if it works or is unknown."""
    name = use.name
    replaced = _find_prefix(name, replaced_modules.REPLACED)
    if replaced is not None and not _is_back(replaced):
        return replaced_modules.REPLACED[replaced]
    top = name.partition(".")[0]
    if top == "tensorflow":
        # Every part of tf.contrib can be imported; to use one may fail.
        is_harmless = use.is_import and name.startswith("tensorflow.contrib")
        return None if is_harmless else _explain_tensorflow(name)
    if top == "tensorflow_hub":
        return _explain_tensorflow_hub(name)
    if use.is_import and not sources.has_module(top, path) and not _is_importable(top):
        if is_beside(top, path):
            return f"Python 3 does not import it from the package itself; use `from . import {top}`"
        dropped = replaced_modules.DROPPED_FROM_PYTHON.get(top)
        if dropped is not None:
            return f"this version of Python does not have it; {dropped}"
        package = replaced_modules.DISTRIBUTIONS.get(top, top)
        return f"the package is not installed; pip install {package}"
    return None


def _explain_tensorflow(name: str) -> str | None:
    path = _strip_tensorflow(name)
    if path.startswith("contrib."):
        return _explain_contrib(path.partition(".")[2])
    if path.startswith("python."):
        return _explain_private(name)
    if path.startswith("estimator.BoostedTrees"):
        return "TensorFlow dropped its kernels; use the package tensorflow-decision-forests"
    if _is_listed(path, api_names.DROPPED):
        return "TensorFlow 2 dropped it, also from tf.compat.v1; remove this use"
    return None


def _explain_contrib(path: str) -> str | None:
    """Explains a name below `tf.contrib`."""
    if path in contrib_parts.PARTS:
        return None
    prefix = _find_prefix(path, {**contrib_parts.SUCCESSORS, **contrib_parts.ADVICE})
    target = contrib_parts.SUCCESSORS.get(prefix or "")
    member = ".".join(path.split(".")[:2])
    if target is None or member in api_names.CONTRIB_WITHOUT_SUCCESSOR:
        return f"TensorFlow 2 has no tf.contrib; {contrib_parts.find_advice(path)}"
    top = target.split(":")[0].split(".")[0]
    package = contrib_parts.PACKAGES.get(top)
    if package is not None and not _is_importable(top):
        return f"it needs the package {package}; pip install {package}"
    return None


def _explain_private(name: str) -> str | None:
    """Explains a name of TensorFlow's implementation that does not exist any more."""
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations or private_names.is_moved(name):
        return None
    if _may_exist(spec.submodule_search_locations[0], name.split(".")[1:]):
        return None
    return "this TensorFlow does not have it; it was never public, use the public API"


def _may_exist(package: str, parts: Sequence[str]) -> bool:
    """Whether a package may have a name; reads its files and imports nothing.

    Args:
        package: Directory of the package.
        parts: The name below the package, split at its dots.
    """
    part, *rest = parts
    path = os.path.join(package, part)
    if os.path.isdir(path):
        return not rest or _may_exist(path, rest)
    if os.path.isfile(f"{path}.py"):
        return not rest or _mentions(f"{path}.py", rest[0])
    # It may also be an extension module, or a name in the package itself.
    return bool(glob.glob(f"{glob.escape(path)}.*")) or _mentions(
        os.path.join(package, "__init__.py"), part
    )


@functools.cache
def _mentions(path: str, name: str) -> bool:
    """Whether a Python file has a name in its text, or names that cannot be told from it."""
    try:
        with tokenize.open(path) as file:
            text = file.read()
    except OSError:
        return False
    return re.search(rf"\b{re.escape(name)}\b|import \*|__getattr__", text) is not None


def _explain_tensorflow_hub(name: str) -> str | None:
    if alias.has_name(name):
        return None
    return "hubmodule has the public names of tensorflow_hub only; use one of those"


def _explain_tensorflow_2(place: Place) -> Finding:
    reason = (
        "TensorFlow 1 does not have it, and other lines need the API of TensorFlow 1; "
        f"write tf.compat.v2{place.name.removeprefix('tf')}"
    )
    return Finding(*place, reason)


def _find_api(name: str) -> int | None:
    """Returns the version of TensorFlow's API that alone has a name, or None."""
    if not name.startswith("tensorflow.") or name.startswith("tensorflow.compat."):
        return None
    path = name.partition(".")[2]
    if path.partition(".")[0] == "contrib" or private_names.is_moved(name):
        return 1
    if _is_listed(path, api_names.TENSORFLOW_1_ONLY):
        return 1
    return 2 if _is_listed(path, api_names.TENSORFLOW_2_ONLY) else None


def _is_listed(path: str, names: frozenset[str]) -> bool:
    """Whether a name is in a list of api_names, itself or by one of its modules."""
    parts = path.split(".")
    prefixes = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return any(prefix in names or f"{prefix}." in names for prefix in prefixes)


def _strip_tensorflow(name: str) -> str:
    path = name.partition(".")[2]
    return path.removeprefix("compat.v1.")


def _find_prefix(name: str, table: dict[str, str]) -> str | None:
    """Returns the longest part of a dotted name that a table has, or None."""
    while name and name not in table:
        name = name.rpartition(".")[0]
    return name or None


def _is_back(name: str) -> bool:
    if name not in replaced_modules.SINCE_NUMPY_2:
        return False
    try:
        return int(importlib.metadata.version("numpy").partition(".")[0]) >= 2
    except importlib.metadata.PackageNotFoundError:
        return False


def _is_importable(top: str) -> bool:
    """Whether a top-level module is installed; imports nothing."""
    if top in sys.modules or top in sys.builtin_module_names or top == "tensorflow_hub":
        return True
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


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

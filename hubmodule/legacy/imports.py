"""Finds the names of imported libraries that a Python file uses, without running it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# Names by which programs tell the versions of Python and of libraries.
_VERSIONS = frozenset({"PY2", "PY3", "VERSION", "__version__", "hexversion", "version_info"})


class Use(NamedTuple):
    """A use of an imported name.

    Attributes:
        name: Full name, e.g. "tensorflow.contrib.layers.conv2d".
        line: Line of the file, counted from 1.
        is_import: Whether it is the import itself.
        is_guarded: Whether the program has something else for it: it is tried, with a handler for
            the error of a missing name; the program asks before, with `hasattr`; or its variable
            stands for several imports.
    """

    name: str
    line: int
    is_import: bool
    is_guarded: bool


def find_uses(tree: ast.Module) -> list[Use]:
    """Returns every import and every use of an imported name, in the order of the file.

    Branches that the program chooses by a version, as of Python, are left out.

    Args:
        tree: The parsed file. An imported name means the same in the whole file.
    """
    finder = _Finder(_find_imported_names(tree))
    finder.visit(tree)
    return sorted(set(finder.uses), key=lambda use: (use.line, use.name))


def walk_without_version_checks(tree: ast.Module) -> Iterator[ast.AST]:
    """Yields the nodes of a file, without the branches that it chooses by a version.

    Args:
        tree: The parsed file.
    """
    nodes: list[ast.AST] = [tree]
    while nodes:
        node = nodes.pop()
        yield node
        if not _is_version_check(node):
            nodes.extend(ast.iter_child_nodes(node))


def find_bound_names(tree: ast.Module) -> set[str]:
    """Returns the variables, functions, classes and imports of a file.

    Args:
        tree: The parsed file.
    """
    bound = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
    return bound


def _is_version_check(node: ast.AST) -> bool:
    """Whether a statement or expression chooses by a version, as `if six.PY2:` does."""
    if not isinstance(node, (ast.If, ast.IfExp)):
        return False
    names = {
        name.attr if isinstance(name, ast.Attribute) else name.id
        for name in ast.walk(node.test)
        if isinstance(name, (ast.Attribute, ast.Name))
    }
    return not names.isdisjoint(_VERSIONS)


def _find_imported_names(tree: ast.Module) -> dict[str, list[str]]:
    """Returns variable -> full names of what imports bind it to, in the order of the file."""
    names: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        for variable, name in _list_bindings(node):
            if name not in names.setdefault(variable, []):
                names[variable].append(name)
    modules = _list_star_imports(tree)
    if modules:
        for variable in _find_unbound_names(tree):
            names[variable] = [f"{module}.{variable}" for module in modules]
    return names


def _list_star_imports(tree: ast.Module) -> list[str]:
    """Lists the modules of which a file imports all names."""
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return [
        node.module
        for node in imports
        if node.module and not node.level and node.names[0].name == "*"
    ]


def _find_unbound_names(tree: ast.Module) -> set[str]:
    """Returns the variables that a file reads, and that neither it nor Python defines."""
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return read - find_bound_names(tree) - set(dir(builtins))


def _list_bindings(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yields the variables that an import statement binds, with the full name of each value."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            if alias.name != "*":
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


class _Finder(ast.NodeVisitor):
    """Collects the uses in a file."""

    def __init__(self, imported: dict[str, list[str]]):
        self.uses: list[Use] = []
        self._imported = imported
        self._guards = 0

    def visit_Try(self, node: ast.Try) -> None:
        self._visit_guarded(node.body, any(map(_handles_missing_names, node.handlers)))
        for rest in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(rest)

    def visit_If(self, node: ast.If) -> None:
        self._visit_condition(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._visit_condition(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self._visit_guarded(node.values, _asks_for_names(node))

    def _visit_condition(self, node: ast.If | ast.IfExp) -> None:
        if not _is_version_check(node):
            self._visit_guarded(ast.iter_child_nodes(node), _asks_for_names(node.test))

    def _visit_guarded(self, nodes: Iterable[ast.AST], is_guarded: bool) -> None:
        self._guards += is_guarded
        for node in nodes:
            self.visit(node)
        self._guards -= is_guarded

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add_import(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module and not node.level:
            for alias in node.names:
                name = node.module if alias.name == "*" else f"{node.module}.{alias.name}"
                self._add_import(name, node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        attributes = [node.attr]
        value = node.value
        while isinstance(value, ast.Attribute):
            attributes.append(value.attr)
            value = value.value
        if isinstance(value, ast.Name) and value.id in self._imported:
            self._add_use(value.id, reversed(attributes), node)
        else:
            self.visit(value)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and node.id in self._imported:
            self._add_use(node.id, (), node)

    def _add_use(self, variable: str, attributes: Iterable[str], node: ast.expr) -> None:
        first, *others = self._imported[variable]
        is_guarded = self._guards > 0 or bool(others)
        self.uses.append(Use(".".join([first, *attributes]), node.lineno, False, is_guarded))

    def _add_import(self, name: str, node: ast.stmt) -> None:
        self.uses.append(Use(name, node.lineno, True, self._guards > 0))


def _asks_for_names(node: ast.expr) -> bool:
    """Whether an expression calls `hasattr`."""
    return any(isinstance(name, ast.Name) and name.id == "hasattr" for name in ast.walk(node))


def _handles_missing_names(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches ImportError or AttributeError."""
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    caught = {name.id for name in types if isinstance(name, ast.Name)}
    return not caught.isdisjoint(
        {"ImportError", "ModuleNotFoundError", "AttributeError", "Exception"}
    )

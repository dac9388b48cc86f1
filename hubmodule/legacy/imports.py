"""Finds the names of imported libraries that a Python file uses, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple


class Use(NamedTuple):
    """A use of an imported name.

    Attributes:
        name: Full name, e.g. "tensorflow.contrib.layers.conv2d".
        line: Line of the file, counted from 1.
        is_import: Whether it is the import itself.
        is_guarded: Whether it is tried, with a handler for the error of a missing name.
    """

    name: str
    line: int
    is_import: bool
    is_guarded: bool


def find_uses(tree: ast.Module) -> list[Use]:
    """Returns every import and every use of an imported name, in the order of the file.

    Args:
        tree: The parsed file. An imported name means the same in the whole file.
    """
    finder = _Finder(_find_imported_names(tree))
    finder.visit(tree)
    return sorted(set(finder.uses), key=lambda use: (use.line, use.name))


def _find_imported_names(tree: ast.Module) -> dict[str, str]:
    """Returns variable -> full name of what an import binds it to; of several, the first."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        for variable, name in _list_bindings(node):
            names.setdefault(variable, name)
    return names


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

    def __init__(self, imported: dict[str, str]):
        self.uses: list[Use] = []
        self._imported = imported
        self._handlers = 0

    def visit_Try(self, node: ast.Try) -> None:
        guarded = any(map(_handles_missing_names, node.handlers))
        self._handlers += guarded
        for statement in node.body:
            self.visit(statement)
        self._handlers -= guarded
        for rest in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(rest)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, node, is_import=True)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module and not node.level:
            for alias in node.names:
                name = node.module if alias.name == "*" else f"{node.module}.{alias.name}"
                self._add(name, node, is_import=True)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        attributes = [node.attr]
        value = node.value
        while isinstance(value, ast.Attribute):
            attributes.append(value.attr)
            value = value.value
        if isinstance(value, ast.Name) and value.id in self._imported:
            name = ".".join([self._imported[value.id], *reversed(attributes)])
            self._add(name, node, is_import=False)
        else:
            self.visit(value)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and node.id in self._imported:
            self._add(self._imported[node.id], node, is_import=False)

    def _add(self, name: str, node: ast.stmt | ast.expr, is_import: bool) -> None:
        self.uses.append(Use(name, node.lineno, is_import, self._handlers > 0))


def _handles_missing_names(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches ImportError or AttributeError."""
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    caught = {name.id for name in types if isinstance(name, ast.Name)}
    return not caught.isdisjoint(
        {"ImportError", "ModuleNotFoundError", "AttributeError", "Exception"}
    )

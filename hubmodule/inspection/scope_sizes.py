"""Sums the sizes of variables by scope."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from hubmodule.inspection.facts import VariableFacts


@dataclasses.dataclass
class Scope:
    """A scope of variables, or one variable.

    Attributes:
        name: Its name. The name of a scope ends with "/"; that of the outermost scope is "".
        bytes: The size of all variables in it, in bytes.
        variables: The number of variables in it.
        children: The scopes and variables directly in it.
    """

    name: str
    bytes: int = 0
    variables: int = 0
    children: list[Scope] = dataclasses.field(default_factory=list)


def build_scopes(variables: Iterable[VariableFacts]) -> Scope:
    """Builds the tree of the scopes of variables.

    Args:
        variables: The variables; the size of those of unknown size counts as 0.

    Returns:
        The outermost scope.
    """
    root = Scope("")
    scopes = {"": root}
    for variable in variables:
        size = variable.bytes or 0
        _add_size(root, size)
        parent = root
        for end in _find_scope_ends(variable.name):
            name = variable.name[:end]
            if name not in scopes:
                scopes[name] = Scope(name)
                parent.children.append(scopes[name])
            parent = scopes[name]
            _add_size(parent, size)
        parent.children.append(Scope(variable.name, size, 1))
    return root


def find_common_scope(root: Scope) -> Scope:
    """Finds the innermost scope that has all variables.

    Args:
        root: The outermost scope.

    Returns:
        That scope; `root` if its children have no scope in common.
    """
    scope = root
    while len(scope.children) == 1 and scope.children[0].children:
        scope = scope.children[0]
    return scope


def find_largest_scopes(root: Scope, most: int) -> list[Scope]:
    """Divides a scope into scopes and variables, of which the largest are divided further.

    Args:
        root: The scope.
        most: The largest number of scopes and variables to return.

    Returns:
        The scopes and variables, the largest first.
    """
    parts = [root]
    while True:
        for index, part in enumerate(parts):  # from the largest
            if part.children and len(parts) - 1 + len(part.children) <= most:
                parts[index : index + 1] = part.children
                parts.sort(key=lambda scope: (-scope.bytes, scope.name))
                break
        else:
            return parts if parts != [root] or not root.children else _sum_rest(root, most)


def _sum_rest(root: Scope, most: int) -> list[Scope]:
    """Lists the largest children of a scope that has too many, and the sum of the others."""
    children = sorted(root.children, key=lambda scope: (-scope.bytes, scope.name))
    rest = children[most - 1 :]
    others = Scope(
        f"{len(rest)} others", sum(s.bytes for s in rest), sum(s.variables for s in rest)
    )
    return [*children[: most - 1], others]


# The scopes of a name take memory in the square of its depth; no program makes one this deep.
_MOST_DEPTH = 20


def _find_scope_ends(name: str) -> list[int]:
    return [index + 1 for index, char in enumerate(name[:-1]) if char == "/"][:_MOST_DEPTH]


def _add_size(scope: Scope, size: int) -> None:
    scope.bytes += size
    scope.variables += 1

"""Finds which roots of a graph variant run a node or a function."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hubmodule.auditing.components import find_components
from hubmodule.auditing.graphs import Body, Program
from hubmodule.auditing.roots import Root
from hubmodule.surgery.names import get_op_name

# A hostile graph may have a root per node; its sets of roots would need far more memory than it.
_MOST_LABELS = 4096
_MOST_LABELS_OF_A_NODE = 100
_OTHERS = "other parts of the module"


class _Part(NamedTuple):
    """A node of the graph, or a function as a whole."""

    function: str
    node: str


class Reach:
    """Finds what runs the nodes of a program.

    A set of roots is an integer with one bit per root: a graph of 50,000 nodes may have
    thousands of roots, and Python sets of that size would take longer than the rest of the audit.

    Args:
        program: The program of a graph variant.
        roots: The roots of the graph variant.
    """

    def __init__(self, program: Program, roots: Iterable[Root]):
        self._program = program
        roots = list(roots)
        labels = list(dict.fromkeys(root.label for root in roots))
        self._labels = [*labels[:_MOST_LABELS], *([_OTHERS] if labels[_MOST_LABELS:] else [])]
        bits = {label: 1 << min(index, _MOST_LABELS) for index, label in enumerate(labels)}
        self._roots: dict[_Part, int] = {}
        for root in roots:
            functions = [_Part(root.function, "")] if root.function else []
            for part in (*functions, *(_Part("", name) for name in root.nodes)):
                self._roots[part] = self._roots.get(part, 0) | bits[root.label]
        self._found: dict[_Part, int] = {}
        self._list_labels = functools.cache(self._make_labels)

    def describe_users(self, body: Body, node: str) -> tuple[str, ...]:
        """Returns phrases that say what runs a node; empty if nothing runs it."""
        return self._list_labels(self._find(_Part(body.function, "" if body.function else node)))

    def _make_labels(self, bits: int) -> tuple[str, ...]:
        """Makes the labels of a set of roots."""
        labels = [label for index, label in enumerate(self._labels) if bits >> index & 1]
        if len(labels) > _MOST_LABELS_OF_A_NODE:
            labels[_MOST_LABELS_OF_A_NODE:] = [_OTHERS]
        return tuple(labels)

    def _find(self, part: _Part) -> int:
        """Finds the roots of a part: its own, and those of the parts that run it."""
        for component in find_components([part], self._find_new_users):
            if component[0] in self._found:
                continue
            bits = 0
            for member in component:
                bits |= self._roots.get(member, 0)
                for user in self._find_users(member):
                    bits |= self._found.get(user, 0)
            self._found.update(dict.fromkeys(component, bits))
        return self._found[part]

    def _find_new_users(self, part: _Part) -> Iterable[_Part]:
        """Finds the parts that run a part, unless its roots are already known."""
        return () if part in self._found else self._find_users(part)

    def _find_users(self, part: _Part) -> Iterator[_Part]:
        """Finds the parts that run a part whenever they are run themselves."""
        if part.function:
            for call in self._program.calls[part.function]:
                function = call.body.function
                yield _Part(function, "" if function else call.node.name)
        else:
            for name in self._users_of_nodes.get(part.node, ()):
                yield _Part("", name)

    @functools.cached_property
    def _users_of_nodes(self) -> dict[str, list[str]]:
        """The nodes of the graph -> the nodes that have them as inputs or control inputs."""
        users: dict[str, list[str]] = {}
        for node in self._program.graph.nodes:
            for reference in node.input:
                users.setdefault(get_op_name(reference), []).append(node.name)
        return users

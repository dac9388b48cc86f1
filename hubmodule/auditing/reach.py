"""Which roots of a graph variant reach a node or a function."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable

from hubmodule.auditing.components import find_components
from hubmodule.auditing.graphs import Body, Program
from hubmodule.auditing.roots import Root, node_name

# A hostile graph may have a root per node; their numbers would take far more memory than it.
_MOST_LABELS = 4096
_OTHERS = "other parts of the module"


class Reach:
    """Finds what runs the nodes of a program.

    A set of roots is a number, with a bit per root: a graph of 50,000 nodes may have
    thousands of roots, and sets of that size would take longer than the audit.

    Args:
        program: The program.
        roots: What is run.
    """

    def __init__(self, program: Program, roots: Iterable[Root]):
        roots = list(roots)
        labels = list(dict.fromkeys(root.label for root in roots))
        self._labels = [*labels[:_MOST_LABELS], *([_OTHERS] if labels[_MOST_LABELS:] else [])]
        bits = {label: 1 << min(index, _MOST_LABELS) for index, label in enumerate(labels)}
        self._nodes: dict[str, int] = {}
        self._functions = dict.fromkeys(program.functions, 0)
        for root in roots:
            for name in root.nodes:
                self._nodes[name] = self._nodes.get(name, 0) | bits[root.label]
            if root.function in self._functions:
                self._functions[root.function] |= bits[root.label]
        self._spread_over_nodes(program.graph)
        self._spread_over_functions(program)

    def labels(self, body: Body, node: str) -> tuple[str, ...]:
        """The phrases that say what runs a node."""
        found = self._functions[body.function] if body.function else self._nodes.get(node, 0)
        return tuple(label for index, label in enumerate(self._labels) if found >> index & 1)

    def _spread_over_nodes(self, graph: Body) -> None:
        """Gives each node the roots of the nodes that use it."""
        names = graph.by_name
        uses = {
            name: [used for r in node.input if (used := node_name(r)) in names]
            for name, node in names.items()
        }
        _spread(self._nodes, lambda name: uses.get(name, ()))

    def _spread_over_functions(self, program: Program) -> None:
        """Gives each function the roots of the nodes that call it."""
        called: dict[str, list[str]] = {function: [] for function in program.functions}
        for function, calls in program.calls.items():
            for call in calls:
                if call.body.function:
                    called[call.body.function].append(function)
                else:
                    self._functions[function] |= self._nodes.get(call.node.name, 0)
        _spread(self._functions, lambda function: called[function])


def _spread(bits: dict[str, int], uses: Callable[[str], Iterable[str]]) -> None:
    """Adds the bits of each node to those of the nodes that it uses, and that these use."""
    components = list(find_components(list(bits), uses))
    for component in reversed(components):  # each after those that use it
        common = functools.reduce(operator.or_, (bits.get(name, 0) for name in component))
        for name in component:
            bits[name] = common
        for name in component:
            for used in uses(name):
                bits[used] = bits.get(used, 0) | common

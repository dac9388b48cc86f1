"""Which roots of a graph variant reach a node or a function."""

from __future__ import annotations

from collections.abc import Iterable

from hubmodule.auditing.graphs import Body, Program
from hubmodule.auditing.roots import Root, node_name


class Reach:
    """Finds what runs the nodes of a program.

    A set of roots is a number, with a bit per root: a graph of 50,000 nodes may have
    thousands of roots, and sets of that size would take longer than the audit.

    Args:
        program: The program.
        roots: What is run.
    """

    def __init__(self, program: Program, roots: Iterable[Root]):
        self._labels = list(dict.fromkeys(root.label for root in roots))
        bits = {label: 1 << index for index, label in enumerate(self._labels)}
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
        """Gives each node the roots of the nodes that use it, until nothing changes."""
        order = _users_first(graph, list(self._nodes))
        changed = True
        while changed:  # more than twice only in graphs with loops within loops
            changed = False
            for name in order:
                bits = self._nodes.get(name, 0)
                for reference in graph.by_name[name].input:
                    used = node_name(reference)
                    if used in graph.by_name and self._nodes.get(used, 0) | bits != (
                        self._nodes.get(used, 0)
                    ):
                        self._nodes[used] = self._nodes.get(used, 0) | bits
                        changed = True

    def _spread_over_functions(self, program: Program) -> None:
        """Gives each function the roots of the nodes that call it."""
        pending = []
        for function, calls in program.calls.items():
            for call in calls:
                if not call.body.function:
                    self._functions[function] |= self._nodes.get(call.node.name, 0)
            pending.append(function)
        called: dict[str, set[str]] = {function: set() for function in program.functions}
        for function, calls in program.calls.items():
            for call in calls:
                if call.body.function:
                    called[call.body.function].add(function)
        while pending:
            caller = pending.pop()
            for function in called[caller]:
                if self._functions[function] | self._functions[caller] != self._functions[function]:
                    self._functions[function] |= self._functions[caller]
                    pending.append(function)


def _users_first(graph: Body, names: Iterable[str]) -> list[str]:
    """The nodes that others need, each after those that use it, but for loops."""
    order: list[str] = []
    seen: set[str] = set()
    for name in names:
        if name not in graph.by_name or name in seen:
            continue
        seen.add(name)
        stack = [(name, iter(graph.by_name[name].input))]
        while stack:
            current, inputs = stack[-1]
            used = next(inputs, None)
            if used is None:
                order.append(current)
                stack.pop()
                continue
            used = node_name(used)
            if used in graph.by_name and used not in seen:
                seen.add(used)
                stack.append((used, iter(graph.by_name[used].input)))
    order.reverse()
    return order

"""Finds the strongly connected components of a directed graph: loops, and nodes in no loop."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

_NodeT = TypeVar("_NodeT", bound=Hashable)


def find_components(
    starts: Iterable[_NodeT], successors: Callable[[_NodeT], Iterable[_NodeT]]
) -> Iterator[list[_NodeT]]:
    """Yields the components that can be reached from nodes, each after the components it leads to.

    This is Tarjan's algorithm without recursion. Its time is proportional to the number of edges.

    Args:
        starts: The nodes to start from.
        successors: Returns the nodes that a node leads to; called once for each node.
    """
    numbers: dict[_NodeT, float] = {}
    lowest: dict[_NodeT, float] = {}
    unfinished: list[_NodeT] = []
    stack: list[tuple[_NodeT, Iterator[_NodeT]]] = []

    def enter(node: _NodeT) -> None:
        numbers[node] = lowest[node] = len(numbers)
        unfinished.append(node)
        stack.append((node, iter(successors(node))))

    for start in starts:
        if start not in numbers:
            enter(start)
        while stack:
            node, rest = stack[-1]
            for successor in rest:
                if successor not in numbers:
                    enter(successor)
                    break
                lowest[node] = min(lowest[node], numbers[successor])
            else:
                stack.pop()
                if stack:
                    parent = stack[-1][0]
                    lowest[parent] = min(lowest[parent], lowest[node])
                if lowest[node] == numbers[node]:
                    component = [unfinished.pop()]
                    while component[-1] != node:
                        component.append(unfinished.pop())
                    for finished in component:
                        numbers[finished] = float("inf")
                    yield component

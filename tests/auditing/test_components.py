"""Tests of hubmodule.auditing.components."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubmodule.auditing.components import find_components


def components(edges: dict[str, str], starts: str) -> list[set[str]]:
    """The components of a graph whose nodes are letters."""
    return [set(found) for found in find_components(starts, lambda node: edges.get(node, ""))]


def test_what_a_node_leads_to_comes_first() -> None:
    assert components({"a": "bc", "b": "c"}, "a") == [{"c"}, {"b"}, {"a"}]


def test_a_loop_is_one_component() -> None:
    assert components({"a": "b", "b": "c", "c": "bd"}, "a") == [{"d"}, {"b", "c"}, {"a"}]


def test_a_loop_within_a_loop() -> None:
    assert components({"a": "b", "b": "cd", "c": "b", "d": "a"}, "a") == [{"a", "b", "c", "d"}]


def test_a_node_that_leads_to_itself() -> None:
    assert components({"a": "a"}, "a") == [{"a"}]


def test_nodes_that_were_reached_before_are_not_repeated() -> None:
    assert components({"a": "b", "c": "b"}, "aac") == [{"b"}, {"a"}, {"c"}]


def test_a_chain_deeper_than_the_stack_of_python() -> None:
    assert len(list(find_components([0], lambda n: [n + 1] if n < 50_000 else []))) == 50_001


@given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=4)))
def test_components_are_the_nodes_that_reach_each_other(edges: dict[int, list[int]]) -> None:
    def reach(node: int) -> set[int]:
        seen, pending = set[int](), [node]
        while pending:
            for successor in edges.get(pending.pop(), ()):
                if successor not in seen:
                    seen.add(successor)
                    pending.append(successor)
        return seen

    asked: list[int] = []
    found = list(find_components(range(10), lambda n: asked.append(n) or edges.get(n, ())))
    assert sorted(asked) == list(range(10))
    expected = {frozenset([n, *(m for m in reach(n) if n in reach(m))]) for n in range(10)}
    assert {frozenset(component) for component in found} == expected
    position = {node: index for index, component in enumerate(found) for node in component}
    assert all(position[m] <= position[n] for n in edges for m in edges[n])


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

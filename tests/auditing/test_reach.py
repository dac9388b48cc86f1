"""Tests of hubmodule.auditing.reach."""

from __future__ import annotations

import sys

import pytest

from hubmodule.auditing.graphs import Program
from hubmodule.auditing.reach import Reach
from hubmodule.auditing.roots import Root, find_roots
from tests.auditing.protos import MetaGraphDef, function, meta_graph, node


def reached(graph: MetaGraphDef, name: str, in_function: str = "") -> set[str]:
    """What runs a node."""
    program = Program(graph)
    body = program.functions[in_function] if in_function else program.graph
    return set(Reach(program, find_roots(graph)).describe_users(body, name))


def test_what_an_output_needs_is_run_by_the_signature() -> None:
    nodes = [node("a", "Const"), node("b", "Identity", "a:0"), node("y", "NoOp", "^b")]
    graph = meta_graph(nodes, {}, {"default": "y:0"})
    assert [reached(graph, name) for name in "aby"] == [{"signature 'default'"}] * 3


def test_what_uses_an_output_is_not() -> None:
    graph = meta_graph([node("y", "Const"), node("z", "Identity", "y")], {}, {"default": "y:0"})
    assert reached(graph, "z") == set()


def test_each_root_is_named() -> None:
    nodes = [node("a", "Const"), node("y", "Identity", "a"), node("init", "NoOp", "^a")]
    graph = meta_graph(nodes, {}, {"default": "y:0"}, collections={"table_initializer": ["init"]})
    assert reached(graph, "a") == {"signature 'default'", "the initialiser of a table"}
    assert reached(graph, "y") == {"signature 'default'"}


def test_loops_within_loops() -> None:
    edges = {"y": "a", "a": "b", "b": "c d", "c": "a", "d": "e", "e": "b f", "f": ""}
    nodes = [node(name, "Merge", *inputs.split()) for name, inputs in edges.items()]
    graph = meta_graph(nodes, {}, {"default": "y:0"}, collections={"update_ops": ["e"]})
    both = {"signature 'default'", "an update op"}
    found = {name: reached(graph, name) for name in edges}
    assert found == {name: both if name != "y" else {"signature 'default'"} for name in edges}


def test_functions_are_run_by_what_runs_their_callers() -> None:
    inner = node("read", "ReadFile")
    functions = [
        function("g", {}, [inner], {}),
        function("f", {}, [node("call", "PartitionedCall", f="@g")], {}),
        function("unused", {}, [], {}),
    ]
    nodes = [node("y", "PartitionedCall", f="@f"), node("z", "PartitionedCall", f="@unused")]
    graph = meta_graph(nodes, {}, {"default": "y:0"}, functions)
    assert reached(graph, "read", "g") == {"signature 'default'"}
    assert reached(graph, "any", "unused") == set()


def test_functions_that_call_each_other() -> None:
    functions = [
        function("f", {}, [node("call", "PartitionedCall", f="@g")], {}),
        function("g", {}, [node("call", "PartitionedCall", f="@f")], {}),
    ]
    graph = meta_graph([node("y", "PartitionedCall", f="@f")], {}, {"default": "y:0"}, functions)
    assert reached(graph, "call", "g") == {"signature 'default'"}


def test_a_method_runs_its_function() -> None:
    program = Program(meta_graph([], functions=[function("f", {}, [], {})]))
    reach = Reach(program, [Root("method 'm'", function="f"), Root("other", ("missing",))])
    assert reach.describe_users(program.functions["f"], "any") == ("method 'm'",)


def test_a_chain_deeper_than_the_stack_of_python() -> None:
    nodes = [node(f"n{i}", "Identity", f"n{i + 1}") for i in range(20_000)]
    graph = meta_graph(nodes, {}, {"default": "n0:0"})
    assert reached(graph, "n19999") == {"signature 'default'"}


@pytest.mark.parametrize("count", [150, 5000])
def test_very_many_roots_share_a_label(count: int) -> None:
    program = Program(meta_graph([node("y", "NoOp"), node("z", "NoOp")]))
    roots = [Root(f"signature '{i}'", ("y",)) for i in range(count - 1)]
    reach = Reach(program, [*roots, Root("the last", ("y", "z"))])
    labels = reach.describe_users(program.graph, "y")
    assert len(labels) == 101
    assert labels[-1] == "other parts of the module"
    assert len(reach.describe_users(program.graph, "z")) == 1


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

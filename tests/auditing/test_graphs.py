"""Tests of hubmodule.auditing.graphs."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.auditing.graphs import (
    NESTED,
    Body,
    Program,
    Tensor,
    find_functions,
    parse_tensor,
)
from tests.auditing.protos import NodeDef, function, meta_graph, node


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("a", Tensor("a", "", 0)),
        ("a/b:2", Tensor("a/b", "", 2)),
        ("a:output:1", Tensor("a", "output", 1)),
        ("a:output", Tensor("a", "output", 0)),
        ("a:output:x", Tensor("a", "output", 0)),
        ("a:99999999999999999999", Tensor("a", "", 0)),
        ("", Tensor("", "", 0)),
    ],
)
def test_parse_tensor(reference: str, expected: Tensor) -> None:
    assert parse_tensor(reference) == expected


def input_groups(one: NodeDef) -> dict[str, list[str]]:
    """The inputs of a node in a graph of its own."""
    return Body("", [one], [], {}).group_inputs(one)


def test_inputs_have_the_names_of_the_op() -> None:
    call = node("z", "If", "c", "a", "b", "^d", Tcond=tf.bool, Tin=[tf.string, tf.string])
    assert input_groups(call) == {"cond": ["c"], "input": ["a", "b"]}


def test_control_inputs_are_no_data() -> None:
    one = node("z", "NoSuchOp", "a", "^b", "c:1")
    assert Body("", [one], [], {}).list_data_inputs(one) == ["a", "c:1"]


def test_a_damaged_count_of_inputs_takes_what_is_there() -> None:
    assert input_groups(node("z", "Pack", "a", N=1 << 60)) == {"values": ["a"]}
    assert input_groups(node("z", "Pack", "a", N=-5)) == {"values": []}


def test_inputs_of_an_unknown_op_have_no_names() -> None:
    assert input_groups(node("z", "NoSuchOp", "a")) == {}


def called(**attributes: object) -> set[tuple[str, str]]:
    """The calls of the functions f and g by a node with these attributes."""
    functions = [function(name, {}, [], {}) for name in ("f", "g")]
    program = Program(meta_graph([node("z", "Case", **attributes)], functions=functions))
    return {(call.attribute, name) for name, calls in program.calls.items() for call in calls}


def test_functions_in_attributes_are_called() -> None:
    assert called(branches=["@f", "@g"]) == {("branches", "f"), ("branches", "g")}
    assert called(branches="@g") == {("branches", "g")}
    assert called(branches="@missing") == set()


def test_an_op_may_be_a_function() -> None:
    functions = [function("f", {}, [], {})]
    program = Program(meta_graph([node("z", "f")], functions=functions))
    assert [(call.node.name, call.attribute) for call in program.calls["f"]] == [("z", "")]


def test_functions_call_functions() -> None:
    inner = node("call", "StatefulPartitionedCall", f="@g")
    functions = [function("f", {}, [inner], {}), function("g", {}, [], {})]
    program = Program(meta_graph([], functions=functions))
    assert [call.body.function for call in program.calls["g"]] == ["f"]


def test_a_gradient_is_called_where_its_function_is() -> None:
    functions = [function(name, {}, [], {}) for name in ("f", "g")]
    graph = meta_graph([node("z", "PartitionedCall", f="@f")], functions=functions)
    graph.graph_def.library.gradient.add(function_name="f", gradient_func="g")
    calls = Program(graph).calls["g"]
    assert [(call.node.name, call.attribute) for call in calls] == [("z", NESTED)]


def test_functions_nested_in_attributes_are_found() -> None:
    outer = node("z", "PartitionedCall", f="@f")
    outer.attr["f"].func.attr["body"].func.name = "g"
    assert list(find_functions(outer.attr["f"])) == [("f", False), ("g", True)]


def test_endlessly_nested_functions_end() -> None:
    attribute = node("z", "Op", f="@f").attr["f"]
    inner = attribute
    for _ in range(60):
        inner = inner.func.attr["f"]
        inner.func.name = "f"
    assert len(list(find_functions(attribute))) < 30


def test_functions_with_lists_say_so() -> None:
    lists, plain = function("f", {"a": tf.string}, [], {}), function("g", {"a": tf.string}, [], {})
    lists.signature.input_arg[0].number_attr = "N"
    program = Program(meta_graph([], functions=[lists, plain]))
    assert [program.functions[name].has_lists for name in "fg"] == [True, False]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

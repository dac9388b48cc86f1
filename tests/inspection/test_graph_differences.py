"""Tests of hubmodule.inspection.graph_differences."""

from __future__ import annotations

import sys

import pytest
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.inspection.differences import ScopeChange
from hubmodule.inspection.graph_differences import compare_graphs
from tests.inspection.modules import meta_graph


def changed(graph: MetaGraphDef) -> MetaGraphDef:
    copy = MetaGraphDef()
    copy.CopyFrom(graph)
    return copy


def with_function(number: int) -> MetaGraphDef:
    graph = meta_graph()
    function = graph.graph_def.library.function.add()
    function.signature.name = f"__inference_f_{number}"
    function.node_def.add(name="a", op="Add", input=["x"])
    call = graph.graph_def.node.add(name="call", op="PartitionedCall")
    call.attr["f"].func.name = f"__inference_f_{number}"
    graph.graph_def.node.add(name="direct", op=f"__inference_f_{number}")
    return graph


def test_equal_graphs() -> None:
    assert compare_graphs(meta_graph(), meta_graph()) == ()


def test_added_removed_and_changed_ops() -> None:
    before, after = meta_graph({"t"}), meta_graph({"t"})
    after.graph_def.node.add(name="a/b/c/new", op="Add")
    after.graph_def.node.add(name="a/b/other", op="Add")
    del after.graph_def.node[2]
    after.graph_def.node[0].attr["shape"].shape.unknown_rank = True
    after.graph_def.node[1].op = "VariableV2"
    assert compare_graphs(before, after) == (
        ScopeChange(("t",), "", {}, {}, {"Placeholder": 1}, ("shape",)),
        ScopeChange(("t",), "a/b/", {"Add": 2}, {}, {}),
        ScopeChange(("t",), "x/", {"VariableV2": 1}, {"Const": 1, "VarHandleOp": 1}, {}),
    )


def test_inputs_count() -> None:
    after = meta_graph()
    after.graph_def.node[4].input[1] = "x/other"
    (change,) = compare_graphs(meta_graph(), after)
    assert change.changed == {"InitializeTableFromTextFileV2": 1}
    assert change.attributes == ("input",)


def test_numbers_of_functions_do_not_count() -> None:
    assert compare_graphs(with_function(12), with_function(345)) == ()


def test_bodies_of_functions_count() -> None:
    after = with_function(3)
    after.graph_def.library.function[0].node_def.add(name="b", op="Sub")
    assert compare_graphs(with_function(1), after) == (
        ScopeChange((), "function __inference_f", {"Sub": 1}, {}, {}),
    )
    assert compare_graphs(meta_graph(), with_function(1))[1] == ScopeChange(
        (), "function __inference_f", {"Add": 1}, {}, {}
    )


def test_derived_shapes_do_not_count() -> None:
    after = meta_graph()
    after.graph_def.node[0].attr["_output_shapes"].list.shape.add(unknown_rank=True)
    assert compare_graphs(meta_graph(), after) == ()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

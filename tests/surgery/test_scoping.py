"""scoping: a graph under a scope, with all its names."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.surgery.scoping import move_graph_def
from tests.surgery.protos import graph_def, node_def


def moved(node: str, **options) -> tf.compat.v1.NodeDef:
    [result] = move_graph_def("s/t/", graph_def(f"node {{ {node} }}"), **options).node
    return result


def test_names_and_inputs_move():
    node = moved('name: "a" op: "Add" input: "x" input: "y:1" input: "^z"')
    assert node.name == "s/t/a"
    assert list(node.input) == ["s/t/x", "s/t/y:1", "^s/t/z"]


def test_colocation_groups_move():
    node = moved("""name: "a" op: "NoOp" attr { key: "_class" value {
        list { s: "loc:@b" s: "loc:@a" s: "other" } } }""")
    assert list(node.attr["_class"].list.s) == [b"loc:@s/t/a", b"loc:@s/t/b", b"other"]


def test_groups_of_replaced_ops_are_taken_as_they_are():
    node = moved(
        'name: "a" op: "NoOp" attr { key: "_class" value { list { s: "loc:@x" s: "loc:@y" } } }',
        replaced_groups={"x": [b"loc:@live", b"loc:@more"], "y": [b"loc:@live"]},
    )
    assert list(node.attr["_class"].list.s) == [b"loc:@live", b"loc:@more"]


@pytest.mark.parametrize("op", ["VarHandleOp", "HashTableV2", "VariableV2"])
def test_shared_names_move(op):
    node = moved(f'name: "a" op: "{op}" attr {{ key: "shared_name" value {{ s: "n" }} }}')
    assert node.attr["shared_name"].s == b"s/t/n"


def test_variables_without_a_shared_name_get_one():
    assert moved('name: "v" op: "VarHandleOp"').attr["shared_name"].s == b"s/t/v"


@pytest.mark.parametrize("op", ["HashTableV2", "VariableV2", "NoOp"])
def test_other_ops_without_a_shared_name_get_none(op):
    assert "shared_name" not in moved(f'name: "a" op: "{op}"').attr


@pytest.mark.parametrize("op", ["Enter", "RefEnter"])
def test_frames_of_loops_move(op):
    node = moved(f'name: "a" op: "{op}" attr {{ key: "frame_name" value {{ s: "f" }} }}')
    assert node.attr["frame_name"].s == b"s/t/f"


def test_functions_get_names_that_no_other_import_has():
    whole = graph_def("""
        node { name: "a" op: "f" }
        library { function { signature { name: "f" } node_def { name: "b" op: "NoOp" } } }""")
    calls = set()
    for _ in range(2):
        result = move_graph_def("s/", whole)
        assert result.node[0].op == result.library.function[0].signature.name
        assert result.library.function[0].node_def == whole.library.function[0].node_def
        calls.add(result.node[0].op)
    assert len(calls) == 2


def test_versions_stay():
    assert move_graph_def("s/", graph_def("versions { producer: 1882 }")).versions.producer == 1882


def test_the_graph_itself_is_not_changed():
    whole = graph_def('node { name: "v" op: "VarHandleOp" input: "^x" }')
    move_graph_def("s/", whole)
    assert whole.node[0] == node_def('name: "v" op: "VarHandleOp" input: "^x"')


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

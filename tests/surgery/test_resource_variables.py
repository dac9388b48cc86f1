"""resource_variables: state by handle in place of state by reference."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf
from tensorflow.core.framework.variable_pb2 import VariableDef

from hubmodule.errors import ModuleFormatError
from hubmodule.surgery.resource_variables import convert_references
from tests.surgery.protos import meta_graph, nodes_of

VARIABLE = 'node { name: "v" op: "VariableV2" attr { key: "dtype" value { type: DT_FLOAT } } }'
T = 'attr { key: "T" value { type: DT_FLOAT } }'


def rewritten(nodes: str, more: str = "") -> dict[str, tf.compat.v1.NodeDef]:
    """The nodes by name, of a variable "v" and some more, after the rewriting."""
    return nodes_of(
        convert_references(meta_graph(f"graph_def {{ {VARIABLE} {nodes} }} {more}")).graph_def
    )


def test_without_references_the_graph_is_the_same():
    graph = meta_graph('graph_def { node { name: "v" op: "VarHandleOp" } }')
    assert convert_references(graph) is graph


def test_the_graph_itself_is_not_changed():
    graph = meta_graph(f"graph_def {{ {VARIABLE} }}")
    convert_references(graph)
    assert graph == meta_graph(f"graph_def {{ {VARIABLE} }}")


def test_each_use_as_a_value_reads_after_what_it_waits_for():
    nodes = rewritten('node { name: "y" op: "Mul" input: "v" input: "v" input: "^x" }')
    assert list(nodes["y"].input) == ["y/read_0", "y/read_1", "^x"]
    assert [nodes[f"y/read_{i}"].op for i in (0, 1)] == ["ReadVariableOp"] * 2
    assert [list(nodes[f"y/read_{i}"].input) for i in (0, 1)] == [["v", "^x"]] * 2


def test_reads_have_the_type_of_the_variable():
    nodes = rewritten('node { name: "y" op: "Neg" input: "v" }')
    assert nodes["y/read_0"].attr["dtype"].type == tf.float32.as_datatype_enum


def test_a_read_takes_no_name_that_is_taken():
    nodes = rewritten(
        'node { name: "y" op: "Neg" input: "v" } node { name: "y/read_0" op: "NoOp" }'
    )
    assert nodes["y/read_0"].op == "NoOp"
    assert list(nodes["y"].input) == ["y/read_0_"]


def test_assignments_take_handles():
    nodes = rewritten(f'node {{ name: "a" op: "AssignAdd" input: "v" input: "x" {T} }}')
    assert nodes["a"].op == "AssignAddVariableOp"
    assert list(nodes["a"].input) == ["v", "x"]
    assert nodes["a"].attr["dtype"].type == tf.float32.as_datatype_enum
    assert "T" not in nodes["a"].attr


def test_the_value_of_an_assignment_is_read_after_it():
    nodes = rewritten(
        f'node {{ name: "a" op: "Assign" input: "v" input: "x" {T} }}'
        'node { name: "y" op: "Neg" input: "a" }'
    )
    assert list(nodes["y/read_0"].input) == ["v", "^a"]


def test_collections_know_assignments_by_their_ops():
    graph = meta_graph(f"""graph_def {{ {VARIABLE}
        node {{ name: "a" op: "AssignAdd" input: "v" input: "x" {T} }} }}
        collection_def {{ key: "update_ops" value {{ node_list {{ value: "a:0" value: "b:0" }} }} }}
    """)
    result = convert_references(graph).collection_def["update_ops"]
    assert list(result.node_list.value) == ["a", "b:0"]


def test_outputs_that_are_references_become_reads():
    result = convert_references(
        meta_graph(f"""graph_def {{ {VARIABLE} }} signature_def {{ key: "s" value {{
            outputs {{ key: "k" value {{ name: "v:0" dtype: DT_FLOAT_REF }} }} }} }}""")
    )
    info = result.signature_def["s"].outputs["k"]
    assert (info.name, info.dtype) == ("v/output_s_k:0", tf.float32.as_datatype_enum)
    assert nodes_of(result.graph_def)["v/output_s_k"].op == "ReadVariableOp"


def test_definitions_become_those_of_resources():
    graph = meta_graph(f"graph_def {{ {VARIABLE} }}")
    definition = VariableDef(variable_name="v:0", snapshot_name="v:0")
    graph.collection_def["variables"].bytes_list.value.append(definition.SerializeToString())
    [value] = convert_references(graph).collection_def["variables"].bytes_list.value
    assert VariableDef.FromString(value) == VariableDef(
        variable_name="v:0", snapshot_name="v/snapshot:0", is_resource=True
    )


def test_ops_without_a_counterpart_are_named():
    with pytest.raises(ModuleFormatError, match="'r' of type RefSelect"):
        rewritten('node { name: "r" op: "RefSelect" input: "i" input: "v" }')


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda v: tf.compat.v1.assign(v, [5.0, 6.0]), [5.0, 6.0]),
        (lambda v: tf.compat.v1.assign_sub(v, [1.0, 1.0]), [0.0, 1.0]),
        (lambda v: tf.compat.v1.scatter_add(v, [1], [4.0]), [1.0, 6.0]),
        (lambda v: tf.compat.v1.scatter_update(v, [0], [9.0]), [9.0, 2.0]),
        (lambda v: tf.compat.v1.scatter_nd_update(v, [[1]], [7.0]), [1.0, 7.0]),
    ],
    ids=["assign", "assign_sub", "scatter_add", "scatter_update", "scatter_nd_update"],
)
def test_graphs_compute_what_they_did(change, expected):
    with tf.Graph().as_default() as graph:
        v = tf.compat.v1.get_variable("v", initializer=[1.0, 2.0], use_resource=False)
        tf.identity(change(v), name="y")
        exported = tf.compat.v1.train.export_meta_graph(graph=graph)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(convert_references(exported).graph_def, name="")
        with tf.compat.v1.Session() as session:
            session.run("v/Assign")
            assert session.run("y:0").tolist() == expected


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

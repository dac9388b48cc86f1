"""Tests of hubmodule.auditing.roots."""

from __future__ import annotations

import sys

import pytest
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf import queue_runner_pb2

from hubmodule.auditing.roots import Root, find_roots, list_checkpointed_variables
from tests.auditing.protos import function, meta_graph


def test_a_signature() -> None:
    graph = meta_graph([], {"x": "x:0"}, {"default": "y:0", "other": "z:1"})
    assert [(r.label, set(r.nodes)) for r in find_roots(graph)] == [
        ("signature 'default'", {"y", "z"})
    ]


def test_a_signature_with_a_sparse_and_a_composite_output() -> None:
    graph = meta_graph([], {}, {})
    outputs = graph.signature_def["default"].outputs
    outputs["sparse"].coo_sparse.values_tensor_name = "v:0"
    outputs["sparse"].coo_sparse.indices_tensor_name = "i:0"
    outputs["sparse"].coo_sparse.dense_shape_tensor_name = "s:0"
    outputs["ragged"].composite_tensor.components.add(name="r:0")
    assert set(find_roots(graph)[0].nodes) == {"v", "i", "s", "r"}


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("table_initializer", "the initialiser of a table"),
        ("saved_model_main_op", "the initialiser"),
        ("legacy_init_op", "the initialiser"),
        ("update_ops", "an update op"),
        ("regularization_losses", "a regularisation loss"),
        ("mine", "collection 'mine'"),
    ],
)
def test_a_collection(key: str, label: str) -> None:
    assert find_roots(meta_graph([], collections={key: ["a:0"]})) == [Root(label, ("a",))]


def test_the_initialiser_of_a_variable() -> None:
    graph = meta_graph([])
    variable = VariableDef(
        variable_name="w:0", initializer_name="w/Assign", initial_value_name="i:0"
    )
    variable.snapshot_name = "r:0"
    values = graph.collection_def["variables"].bytes_list.value
    values.extend([variable.SerializeToString(), b"\xff damaged"])
    assert find_roots(graph) == [
        Root("the initialiser of variable 'w'", ("w/Assign", "i")),
        Root("a read of variable 'w'", ("r",)),
    ]
    assert list(list_checkpointed_variables(graph)) == ["w"]


def test_a_queue_runner() -> None:
    graph = meta_graph([])
    runner = queue_runner_pb2.QueueRunnerDef(enqueue_op_name=["e:0"], close_op_name="c")
    values = graph.collection_def["queue_runners"].bytes_list.value
    values.append(runner.SerializeToString())
    assert find_roots(graph) == [Root("a queue runner", ("e", "c", ""))]


def test_a_gradient() -> None:
    graph = meta_graph([], functions=[function("f", {}, [], {})])
    graph.graph_def.library.registered_gradients.add(gradient_func="f", registered_op_type="G")
    assert find_roots(graph) == [Root("the gradient 'G'", function="f")]


def test_the_saver() -> None:
    graph = meta_graph([])
    graph.saver_def.save_tensor_name = "save:0"
    graph.saver_def.restore_op_name = "restore"
    assert find_roots(graph) == [
        Root("the saver", ("save",)),
        Root("the saver, to restore", ("restore",)),
    ]


def test_the_methods_of_objects() -> None:
    graph = meta_graph([], functions=[function(name, {}, [], {}) for name in "fgh"])
    nodes = graph.object_graph_def.nodes
    nodes.add().user_object.SetInParent()
    nodes[0].children.add(node_id=1, local_name="__call__")
    nodes[0].children.add(node_id=2, local_name="table")
    nodes[0].children.add(node_id=99, local_name="missing")
    nodes.add().function.concrete_functions.append("f")
    nodes.add().resource.SetInParent()
    nodes[2].children.add(node_id=3, local_name="_initialize")
    nodes.add().function.SetInParent()
    nodes[3].children.add(node_id=4, local_name="trace_0")
    nodes.add().bare_concrete_function.concrete_function_name = "g"
    nodes.add().function.concrete_functions.append("h")
    assert find_roots(graph) == [
        Root("method '__call__'", function="f"),
        Root("the initialiser of 'table'", function="g"),
        Root("method 'object 5'", function="h"),
    ]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

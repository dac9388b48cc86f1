"""state: which ops hold it, and the graph that restores it."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule import _tf
from hubmodule.surgery import state
from tests.surgery.protos import node_def, nodes_of, variable_def

_NAMED_OPS = [("a", "VarHandleOp"), ("b", "NoOp"), ("c", "HashTableV2"), ("d", "VarHandleOp")]


def is_holder(op: str) -> bool:
    return bool(state.find_state_nodes([node_def(f'name: "node" op: "{op}"')]))


class TestHolders:
    @pytest.mark.parametrize(
        "op", ["VarHandleOp", "VariableV2", "HashTableV2", "HashTable", "IteratorV2", "FIFOQueueV2"]
    )
    def test_variables_tables_queues_and_iterators_do(self, op):
        assert is_holder(op)

    @pytest.mark.parametrize(
        "op",
        [
            "Placeholder",  # has no state
            "RandomUniform",  # gives no handle
            "AssignVariableOp",  # uses state
            "TensorArrayV3",  # is made per step
            "NoOp",
            "ReadVariableOp",
        ],
    )
    def test_others_do_not(self, op):
        assert not is_holder(op)

    def test_an_op_that_is_registered_later_is_seen_then(self, monkeypatch):
        with monkeypatch.context() as patched:
            patched.setattr(_tf, "find_op_def", lambda name: None)
            assert not is_holder("MutableHashTableV2")
        assert is_holder("MutableHashTableV2")

    def test_are_all_nodes_of_such_ops_in_order(self):
        nodes = [node_def(f'name: "{name}" op: "{op}"') for name, op in _NAMED_OPS]
        assert [node.name for node in state.find_state_nodes(iter(nodes))] == ["a", "c", "d"]


def variable(name: str, shape: str = "dim { size: 2 }", resource: bool = True, more: str = ""):
    definition = variable_def(
        f'variable_name: "{name}:0" initializer_name: "{name}/Assign" '
        f"is_resource: {str(resource).lower()} {more}"
    )
    op = "VarHandleOp" if resource else "VariableV2"
    node = node_def(f"""name: "{name}" op: "{op}"
        attr {{ key: "dtype" value {{ type: DT_FLOAT }} }}
        attr {{ key: "shape" value {{ shape {{ {shape} }} }} }}""")
    return state.make_variable_state(definition, node)


class TestVariableState:
    def test_is_what_the_op_says(self):
        found = variable("a/v")
        assert (found.op, found.dtype, found.shape) == ("a/v", tf.float32, [2])

    def test_an_unknown_shape_is_unknown(self):
        assert variable("v", shape="unknown_rank: true").shape.rank is None

    def test_the_snapshot_is_the_one_that_is_named(self):
        assert variable("v", more='snapshot_name: "v/cached:0"').snapshot == "v/cached:0"

    def test_old_variables_are_read_where_tensorflow_reads_them(self):
        assert variable("v").snapshot == "v/Read/ReadVariableOp:0"

    def test_a_whole_one_is_by_itself_in_a_checkpoint(self):
        found = variable("a/v")
        assert (found.checkpoint_name, found.checkpoint_shape, found.slice_spec) == ("a/v", [2], "")

    def test_a_part_is_under_the_name_of_the_whole(self):
        found = variable("emb/part_1", more=PART)
        assert (found.checkpoint_name, found.checkpoint_shape) == ("emb", [4, 3])
        assert found.slice_spec == "4 3 2,2:0,3"


PART = """save_slice_info_def { full_name: "emb" full_shape: 4 full_shape: 3
    var_offset: 2 var_offset: 0 var_shape: 2 var_shape: 3 }"""


def strings(node: tf.compat.v1.NodeDef) -> list[str]:
    values = tf.make_ndarray(node.attr["value"].tensor).reshape(-1)
    return [value.decode() for value in values]


class TestRestoreGraph:
    @pytest.fixture
    def nodes(self):
        variables = [variable("v"), variable("ref", resource=False), variable("p", more=PART)]
        return nodes_of(state.build_restore_graph(variables, "/m/v", "restore", "s/", "/cpu:0"))

    def test_one_op_reads_the_checkpoint(self, nodes):
        restore = nodes["s/restore"]
        assert [node.name for node in nodes.values() if node.op == "RestoreV2"] == ["s/restore"]
        prefix, names, slices = (nodes[name] for name in restore.input)
        assert strings(prefix) == ["/m/v"]
        assert strings(names) == ["v", "ref", "emb"]
        assert strings(slices) == ["", "", "4 3 2,2:0,3"]
        assert list(restore.attr["dtypes"].list.type) == [tf.float32.as_datatype_enum] * 3

    def test_the_reading_ops_are_on_the_device(self, nodes):
        on_device = {name for name, node in nodes.items() if node.device == "/cpu:0"}
        assert on_device == {"s/restore", *nodes["s/restore"].input}

    def test_each_variable_is_assigned_its_output(self, nodes):
        inputs = {name: list(n.input) for name, n in nodes.items() if name.endswith("/Assign")}
        assert inputs == {
            "s/v/Assign": ["s/v", "s/restore:0"],
            "s/ref/Assign": ["s/ref", "s/restore:1"],
            "s/p/Assign": ["s/p", "s/restore:2"],
        }

    def test_assignments_fit_the_kind_of_variable(self, nodes):
        assert nodes["s/v/Assign"].op == "AssignVariableOp"
        assert nodes["s/ref/Assign"].op == "Assign"

    def test_assignments_are_where_their_variables_are(self, nodes):
        assert list(nodes["s/v/Assign"].attr["_class"].list.s) == [b"loc:@s/v"]

    @pytest.mark.parametrize(
        ("shape", "validated"), [("dim { size: 2 }", True), ("unknown_rank: true", False)]
    )
    def test_references_of_unknown_shape_take_any(self, shape, validated):
        ref = variable("ref", shape, resource=False)
        nodes = nodes_of(state.build_restore_graph([ref], "/m/v", "restore", "s/"))
        assert nodes["s/ref/Assign"].attr["validate_shape"].b is validated

    def test_tensorflow_imports_it_beside_the_variable(self):
        with tf.Graph().as_default() as graph:
            handle = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[2], name="s/v")
            restore = state.build_restore_graph([variable("v")], "/m/v", "restore", "s/")
            _tf.import_graph_def(restore, {"s/v:0": handle})
        restored = graph.get_tensor_by_name("s/restore:0")
        assert (restored.dtype, restored.shape) == (tf.float32, [2])
        assert graph.get_operation_by_name("s/v/Assign").inputs[0] is handle


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

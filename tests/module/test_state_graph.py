"""State graphs: what is added once, where, and under which names."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.format import checkpoint
from hubmodule.module.spec import get_variant, read_checkpoint
from hubmodule.module.state_graph import build_state
from tests.module.graphs import affine, exported

v1 = tf.compat.v1


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_names_of_the_restore_op_do_not_clash(graph, tmp_path):
    def module_fn():
        v1.get_variable("checkpoint_restore_0", initializer=tf.constant(4.0))
        hub.add_signature(outputs=tf.constant(1.0))

    spec = hub.load_module_spec(exported(tmp_path / "m", module_fn))
    state = build_state(get_variant(spec), read_checkpoint(spec), "m", trainable=False)
    variable = state.variables["checkpoint_restore_0:0"]
    assert variable.initial_value.name == "m/checkpoint_restore_0_:0"
    with v1.Session() as session:
        session.run(variable.initializer)
        assert session.run(variable) == 4.0


def test_much_is_read_by_several_ops(graph, tmp_path, monkeypatch):
    def module_fn():
        for index in range(5):
            v1.get_variable(f"v{index}", initializer=tf.fill([2], float(index)))
        hub.add_signature(outputs=tf.constant(1.0))

    spec = hub.load_module_spec(exported(tmp_path / "m", module_fn))
    monkeypatch.setattr(checkpoint, "PIECE_BYTES", 16)
    state = build_state(get_variant(spec), read_checkpoint(spec), "m", trainable=False)
    readers = [op.name for op in graph.get_operations() if op.type == "RestoreV2"]
    assert readers == [f"m/checkpoint_restore_{index}" for index in range(3)]
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        values = {name: session.run(v).tolist() for name, v in state.variables.items()}
    assert values == {f"v{index}:0": [index, index] for index in range(5)}


def test_tensors_and_values_by_relative_names(graph):
    spec = hub.create_module_spec(affine)
    state = build_state(get_variant(spec), None, "m", trainable=False)
    assert state.scope == "m/"
    assert state.get_tensor("w:0").name == "m/w:0"
    values = [state.get_value(variable).name for variable in get_variant(spec).variables]
    assert values == ["m/w/Read/ReadVariableOp:0", "m/b/Read/ReadVariableOp:0"]


def test_old_resource_variables_without_snapshots(graph):
    spec = hub.create_module_spec(affine)
    for key in ("variables", "trainable_variables"):
        stored = get_variant(spec).meta_graph.collection_def[key].bytes_list.value
        for index, serialized in enumerate(stored):
            definition = get_variant(spec).variables[0].definition.FromString(serialized)
            definition.ClearField("snapshot_name")
            stored[index] = definition.SerializeToString()
    fresh = hub.ModuleSpec(
        [type(get_variant(spec))(frozenset(), get_variant(spec).meta_graph)], None, "x"
    )
    state = build_state(get_variant(fresh), None, "m", trainable=True)
    assert [v.name for v in v1.trainable_variables()] == ["m/w:0"]
    assert state.get_value(get_variant(fresh).variables[0]).name == "m/w/Read/ReadVariableOp:0"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

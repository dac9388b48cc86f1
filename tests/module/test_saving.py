"""Saving: a checkpoint with the values of a session."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.module.saving import CheckpointWriter
from hubmodule.module.spec import get_variant
from hubmodule.module.state_graph import build_state
from tests.module.graphs import affine, initialised_session

v1 = tf.compat.v1


def everything() -> None:
    """Module function with variables of several kinds."""
    v1.get_variable("matrix", initializer=tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    v1.get_variable("word", initializer=tf.constant(b"caf\xc3\xa9\0"))
    v1.get_variable("old", initializer=tf.constant(5), use_resource=False)
    v1.get_variable(
        "parts",
        initializer=tf.range(3.0),
        partitioner=v1.fixed_size_partitioner(2),
    )
    hub.add_signature(outputs=tf.constant(0))


VALUES = {
    "matrix": [[1.0, 2.0], [3.0, 4.0]],
    "word": b"caf\xc3\xa9\0",
    "old": 5,
    "parts": [0.0, 1.0, 2.0],
}


def saving_of(module_fn) -> CheckpointWriter:
    """The CheckpointWriter of a module that was just put into the default graph."""
    variant = get_variant(hub.create_module_spec(module_fn))
    return CheckpointWriter(build_state(variant, None, "m", trainable=False), variant.variables)


def read(prefix) -> dict:
    """The tensors in a checkpoint."""
    reader = tf.train.load_checkpoint(str(prefix))
    values = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    return {
        name: value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        for name, value in values.items()
    }


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def server():
    return tf.distribute.Server.create_local_server()


class TestSaving:
    def test_a_session_of_this_process(self, graph, tmp_path):
        saving = saving_of(everything)
        with initialised_session() as session:
            saving.write(session, str(tmp_path / "v" / "v"))
        assert read(tmp_path / "v" / "v") == VALUES
        assert "SaveV2" in {op.type for op in graph.get_operations()}

    def test_a_finalized_graph(self, graph, tmp_path):
        saving = saving_of(everything)
        with initialised_session() as session:
            graph.finalize()
            saving.write(session, str(tmp_path / "v" / "v"))
        assert read(tmp_path / "v" / "v") == VALUES

    def test_a_session_with_a_server_fetches_as_files_may_be_elsewhere(
        self, graph, tmp_path, server
    ):
        saving = saving_of(everything)
        with v1.Session(server.target) as session:
            session.run(v1.global_variables_initializer())
            before = graph.as_graph_def()
            saving.write(session, str(tmp_path / "v" / "v"))
        assert read(tmp_path / "v" / "v") == VALUES
        assert graph.as_graph_def() == before

    def test_only_the_first_time_adds_to_the_graph(self, graph, tmp_path):
        saving = saving_of(affine)
        with initialised_session() as session:
            before = {op.name for op in graph.get_operations()}
            saving.write(session, str(tmp_path / "a" / "v"))
            added = [op.name for op in graph.get_operations() if op.name not in before]
            assert added
            assert all(name.startswith("m/checkpoint_save/") for name in added)
            graph.finalize()
            session.run(v1.get_collection("variables")[0].initializer)
            saving.write(session, str(tmp_path / "b" / "v"))
        assert read(tmp_path / "b" / "v") == {"w": 2.0, "b": 1.0}

    def test_what_is_under_construction_does_not_matter(self, graph, tmp_path):
        saving = saving_of(affine)
        with initialised_session() as session:
            never = tf.debugging.Assert(False, ["run"])
            with (
                tf.control_dependencies([never]),
                tf.device("/gpu:7"),
                v1.variable_scope("scope"),
            ):
                saving.write(session, str(tmp_path / "v" / "v"))
        assert read(tmp_path / "v" / "v") == {"w": 2.0, "b": 1.0}

    def test_variables_on_two_devices(self, tmp_path):
        config = v1.ConfigProto(device_count={"CPU": 2})
        with tf.Graph().as_default() as graph, v1.Session(config=config) as session:
            with graph.device(lambda op: "/cpu:1" if op.name.startswith("m/w") else "/cpu:0"):
                saving = saving_of(affine)
            session.run(v1.global_variables_initializer())
            saving.write(session, str(tmp_path / "v" / "v"))
        devices = [graph.get_operation_by_name(f"m/{name}").device for name in "wb"]
        assert devices == ["/cpu:1", "/cpu:0"]
        assert read(tmp_path / "v" / "v") == {"w": 2.0, "b": 1.0}

    def test_several_threads_share_one_op(self, graph, tmp_path):
        saving = saving_of(affine)
        with initialised_session() as session:
            size = len(graph.get_operations())
            start = threading.Barrier(4)

            def write(index: int) -> None:
                start.wait()
                saving.write(session, str(tmp_path / str(index) / "v"))

            threads = [threading.Thread(target=write, args=(i,)) for i in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [read(tmp_path / str(i) / "v") for i in range(4)] == [{"w": 2.0, "b": 1.0}] * 4
        types = [op.type for op in graph.get_operations()[size:]]
        assert types.count("SaveV2") == 1

    def test_uninitialised_variables(self, graph, tmp_path):
        saving = saving_of(affine)
        with v1.Session() as session, pytest.raises(tf.errors.FailedPreconditionError):
            saving.write(session, str(tmp_path / "v" / "v"))
        assert list(tmp_path.iterdir()) == []

    def test_without_variables_nothing_is_written(self, graph, tmp_path):
        saving = saving_of(lambda: hub.add_signature(outputs=tf.constant(4.0)))
        with v1.Session() as session:
            saving.write(session, str(tmp_path / "v" / "v"))
        assert list(tmp_path.iterdir()) == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of hubmodule.inspection.object_graph."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_object_graph_pb2 import SavedObjectGraph
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

import hubmodule as hub
from hubmodule.inspection import object_graph


class Root(tf.Module):
    def __init__(self) -> None:
        self.parts = [tf.Variable([1.0], name="same"), tf.Variable([1.0, 2.0], name="same")]

    @tf.function
    def __call__(self, x, training=False):
        return {"y": x["a"] * 2.0} if training else {"y": x["a"]}


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory):
    root, path = Root(), str(tmp_path_factory.mktemp("m"))
    for training in (True, False):
        root({"a": tf.zeros([1, 2])}, training=training)
    tf.saved_model.save(root, path)
    return hub.inspect(path)


def test_variables_of_one_name_are_told_apart_by_their_paths(facts) -> None:
    assert {v.name: v.bytes for v in facts.variables} == {"parts/0": 4, "parts/1": 8}


def test_numbers_that_point_nowhere() -> None:
    objects = SavedObjectGraph()
    node = objects.nodes.add()
    node.children.add(node_id=99, local_name="__call__")
    node.children.add(node_id=-1, local_name="v")
    stored = TrackableObjectGraph()
    stored.nodes.add().children.add(node_id=77, local_name="__call__")
    assert object_graph.read_variables((), objects, stored) == {}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

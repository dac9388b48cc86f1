"""Tests of hubmodule.inspection.calls."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_object_graph_pb2 import SavedObjectGraph

import hubmodule as hub
from hubmodule.inspection.calls import read_calls
from hubmodule.inspection.facts import Argument, ModuleFacts, TensorFacts
from tests.inspection.modules import tensor


class Root(tf.Module):
    @tf.function
    def __call__(self, x, training=False, *, scale=2.0):
        return {"y": x["a"] * scale} if training else {"y": x["a"]}

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.int64)])
    def encode(self, words):
        return [words.values, None]

    @tf.function(input_signature=[])
    def _private(self):
        return tf.constant(1)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> ModuleFacts:
    root, path = Root(), str(tmp_path_factory.mktemp("m"))
    for training in (True, False):
        root({"a": tf.zeros([1, 2])}, training=training)
    tf.saved_model.save(root, path)
    return hub.inspect(path)


def test_calls(facts: ModuleFacts) -> None:
    arguments = sorted(call.arguments for call in facts.calls)
    assert arguments == [
        f"x: {{'a': float32 [1, 2]}}, training: {training}, scale: 2.0"
        for training in (False, True)
    ]
    assert {call.outputs for call in facts.calls} == {"{'y': float32 [1, 2]}"}
    assert {call.method for call in facts.calls} == {"__call__"}
    assert facts.calls[0].inputs == (tensor("x['a']", shape=(1, 2)),)


def test_arguments_and_results(facts: ModuleFacts) -> None:
    (call,) = (call for call in facts.calls if "training: False" in call.arguments)
    x = Argument("x", "{'a': tensor}", (tensor("x['a']", shape=(1, 2)),))
    training = Argument("training", "False", (), is_optional=True)
    scale = Argument("scale", "2.0", (), is_optional=True)
    assert call.parameters == (x, training, scale)
    assert call.result == Argument("", "{'y': tensor}", (tensor("['y']", shape=(1, 2)),))


def test_a_constant_that_is_not_the_default_is_not_optional(facts: ModuleFacts) -> None:
    (call,) = (call for call in facts.calls if "training: True" in call.arguments)
    assert [parameter.is_optional for parameter in call.parameters] == [False, False, True]


def test_methods(facts: ModuleFacts) -> None:
    (encode,) = facts.methods
    assert (encode.method, encode.arguments, encode.outputs) == (
        *("encode", "words: RaggedTensorSpec", "[int64 [?], None]"),
    )
    ragged = TensorFacts("words", "int64", (None, None), "composite", "RaggedTensorSpec", 1)
    assert encode.parameters == (Argument("words", "tensor", (ragged,)),)
    assert encode.result == Argument("", "[tensor, None]", (tensor("[0]", "int64", (None,)),))


def test_numbers_that_point_nowhere() -> None:
    objects = SavedObjectGraph()
    node = objects.nodes.add()
    node.children.add(node_id=99, local_name="__call__")
    node.children.add(node_id=-1, local_name="v")
    assert read_calls(objects) == ()


def test_a_function_that_is_missing() -> None:
    objects = SavedObjectGraph()
    objects.nodes.add().children.add(node_id=1, local_name="f")
    objects.nodes.add().function.concrete_functions.append("missing")
    assert read_calls(objects) == ()
    objects.concrete_functions["missing"].SetInParent()
    (call,) = read_calls(objects)
    assert (call.arguments, call.outputs) == ("", "None")


def test_no_objects() -> None:
    assert read_calls(SavedObjectGraph()) == ()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Predictions of a SavedModel, as `tf.contrib.predictor` made them."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.legacy.contrib_predictor import from_saved_model

v1 = tf.compat.v1


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("saved") / "model")
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None], name="x")
        w = v1.get_variable("w", initializer=2.0)
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, path, {"x": x}, {"y": w * x, "z": x + 1.0})
    return path


def test_it_computes_the_outputs(saved_model):
    predict = from_saved_model(saved_model)
    outputs = predict({"x": [1.0, 3.0]})
    assert {name: value.tolist() for name, value in outputs.items()} == {
        "y": [2.0, 6.0],
        "z": [2.0, 4.0],
    }
    assert list(predict.feed_tensors) == ["x"]
    assert list(predict.fetch_tensors) == ["y", "z"]


def test_a_graph_of_the_program(saved_model):
    graph = tf.Graph()
    assert from_saved_model(saved_model, graph=graph, tags="serve").graph is graph


def test_what_does_not_fit(saved_model):
    with pytest.raises(ValueError, match="no input v; the signature has x"):
        from_saved_model(saved_model)({"v": [1.0]})
    with pytest.raises(ValueError, match=r"has no signature 'other'; it has serving_default"):
        from_saved_model(saved_model, "other")
    with pytest.raises(ValueError, match="use signature_def_key"):
        from_saved_model(saved_model, input_names={"x": "x:0"})


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of KerasLayer for Keras 2: tf_keras, or the Keras within TensorFlow 2.15."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.keras.keras2_layer import KerasLayer, keras
from hubmodule.surgery.names import get_op_name
from tests.keras.layer_contract import INPUTS, NORM, SENTENCES, TEXT, LayerContract
from tests.module.graphs import initialised_session
from tests.tf2 import fine_tuning

v1 = tf.compat.v1


class TestKeras2Layer(LayerContract):
    keras = keras
    KerasLayer = KerasLayer

    def variable(self, weight: Any) -> tf.Variable:
        return weight

    def test_saved_models(self, tmp_path: Path) -> None:
        model = self.text_model()
        model.save(str(tmp_path / "model"))
        given = tf.constant(SENTENCES)
        loaded = keras.models.load_model(str(tmp_path / "model"))
        np.testing.assert_allclose(loaded(given), model(given), rtol=1e-6)
        assert isinstance(loaded.layers[1], KerasLayer)
        plain = tf.saved_model.load(str(tmp_path / "model"))
        np.testing.assert_allclose(plain(given), model(given), rtol=1e-6)

    def test_shapes_are_those_of_tensorflow(self) -> None:
        for layer in (KerasLayer(NORM), KerasLayer(NORM, output_shape=[3])):
            found = layer.compute_output_shape((8, 3))
            assert isinstance(found, tf.TensorShape)
            assert found == [8, 3]

    def test_it_trains_in_a_graph_as_a_module_does(self, tmp_path: Path) -> None:
        path = fine_tuning.published(tmp_path / "module")
        with tf.Graph().as_default():
            layer = KerasLayer(path, trainable=True)
            x = v1.placeholder(tf.float32, [None, 4])
            y = v1.placeholder(tf.float32, [None, 1])
            error = tf.reduce_mean(tf.math.squared_difference(layer(x, training=True), y))
            loss = tf.add_n([error, *layer.losses])
            optimizer = v1.train.GradientDescentOptimizer(fine_tuning.LEARNING_RATE)
            train = optimizer.minimize(loss)
            with initialised_session() as session:
                for inputs, targets in fine_tuning.batches():
                    session.run(train, {x: inputs, y: targets})
                found = session.run({get_op_name(weight.name): weight for weight in layer.weights})
        fine_tuning.assert_same(found, fine_tuning.trained_in_graph_mode(path))

    def test_its_tables_are_initialised_with_those_of_the_graph(self) -> None:
        expected = hub.load(TEXT)(SENTENCES).numpy()
        with tf.Graph().as_default():
            vectors = KerasLayer(TEXT)(tf.constant(SENTENCES))
            with initialised_session() as session:
                np.testing.assert_allclose(session.run(vectors), expected)

    @pytest.mark.parametrize("phase", [False, True])
    def test_the_learning_phase_of_a_graph_decides(self, phase: bool) -> None:
        expected = hub.load(NORM)(INPUTS, training=phase).numpy()
        with tf.Graph().as_default():
            training = v1.placeholder_with_default(False, [])
            outputs = KerasLayer(NORM, trainable=True)(tf.constant(INPUTS), training=training)
            with initialised_session() as session:
                found = session.run(outputs, {training: phase})
        np.testing.assert_allclose(found, expected, rtol=1e-5)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

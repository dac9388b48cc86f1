"""Tests of hub.KerasLayer in the Keras that this TensorFlow brings: 2 in 2.15, else 3."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub

GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"
DENSE = str(GOLDEN / "dense_regularized")
INPUTS = np.sin(np.arange(24)).reshape(8, 3).astype(np.float32)


def _model(layer: hub.KerasLayer) -> tf.keras.Model:
    model = tf.keras.Sequential([layer])
    model.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss="mse")
    return model


def test_training_moves_the_variables_of_the_module_as_gradient_descent_does() -> None:
    layer = hub.KerasLayer(DENSE, trainable=True)
    targets = np.ones([8, 2], np.float32)
    _model(layer).fit(INPUTS, targets, batch_size=8, epochs=20, verbose=0)
    module = hub.load(DENSE)
    for _ in range(20):
        with tf.GradientTape() as tape:
            error = tf.reduce_mean((module(INPUTS, training=True) - targets) ** 2)
            loss = tf.add_n([error, *(penalty() for penalty in module.regularization_losses)])
        gradients = tape.gradient(loss, module.trainable_variables)
        for variable, gradient in zip(module.trainable_variables, gradients, strict=True):
            variable.assign_sub(0.1 * gradient)
    for expected, weight in zip(module.variables, layer.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected.numpy(), atol=1e-4)


def test_a_frozen_layer_has_no_weights_to_train() -> None:
    layer = hub.KerasLayer(DENSE, trainable=True)
    layer.trainable = False
    assert layer.trainable_weights == []
    assert sum(map(float, layer.losses)) == 0.0


def test_a_model_survives_its_file(tmp_path: Path) -> None:
    model = _model(hub.KerasLayer(DENSE, trainable=True))
    model.fit(INPUTS, np.ones([8, 2], np.float32), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(INPUTS), model.predict(INPUTS), atol=1e-6)


def test_a_callable_has_no_config() -> None:
    with pytest.raises(NotImplementedError, match="handle is a string"):
        hub.KerasLayer(tf.identity).get_config()


def test_an_output_key_and_a_dict_of_outputs_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="not both"):
        hub.KerasLayer(DENSE, output_key="default", signature_outputs_as_dict=True)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

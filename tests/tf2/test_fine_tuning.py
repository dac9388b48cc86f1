"""A module that is trained as an object ends up with the weights that graph mode gives it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from tests.tf2 import fine_tuning


@pytest.mark.parametrize("traced", [True, False])
def test_weights_agree(traced: bool, tmp_path: Path) -> None:
    path = fine_tuning.published(tmp_path / "module")
    module = hub.load(path)

    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            error = tf.reduce_mean(tf.math.squared_difference(module(x, training=True), y))
            loss = tf.add_n([error, *(penalty() for penalty in module.regularization_losses)])
        gradients = tape.gradient(loss, module.trainable_variables)
        for variable, gradient in zip(module.trainable_variables, gradients, strict=True):
            variable.assign_sub(fine_tuning.LEARNING_RATE * gradient)

    step = tf.function(step) if traced else step
    for x, y in fine_tuning.batches():
        step(tf.constant(x), tf.constant(y))
    expected = fine_tuning.trained_in_graph_mode(path)
    fine_tuning.assert_same(fine_tuning.weights(module.variables), expected)


def test_training_moves_every_weight(tmp_path: Path) -> None:
    path = fine_tuning.published(tmp_path / "module")
    before = fine_tuning.weights(hub.load(path).variables)
    after = fine_tuning.trained_in_graph_mode(path)
    unmoved = [n for n in before if np.abs(before[n] - after[n]).max() < fine_tuning.TOLERANCE]
    assert unmoved == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

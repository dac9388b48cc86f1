"""hub.KerasLayer in the model_fn of an Estimator."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import hubmodule as hub
from tests.estimator.behaviour.models import config
from tests.tf2 import fine_tuning

v1 = tf.compat.v1


def model_fn(features: Any, labels: Any, mode: str, params: Any) -> Any:
    """Trains the module at params["path"] as it is."""
    layer = hub.KerasLayer(params["path"], trainable=True)
    outputs = layer(features, training=mode == v1.estimator.ModeKeys.TRAIN)
    error = tf.reduce_mean(tf.math.squared_difference(outputs, labels))
    loss = tf.add_n([error, *layer.losses])
    optimizer = v1.train.GradientDescentOptimizer(fine_tuning.LEARNING_RATE)
    step = v1.train.get_or_create_global_step()
    return v1.estimator.EstimatorSpec(mode, outputs, loss, optimizer.minimize(loss, step))


def test_it_trains_as_a_module_does(model_dir: str, tmp_path: Path) -> None:
    path = fine_tuning.published(tmp_path / "module")
    batches = tf.data.Dataset.from_tensor_slices
    estimator = v1.estimator.Estimator(model_fn, model_dir, config(), {"path": path})
    estimator.train(lambda: batches(fine_tuning.data()).batch(fine_tuning.BATCH_SIZE))
    names = set(estimator.get_variable_names()) - {"global_step"}
    found = {name: estimator.get_variable_value(name) for name in names}
    expected = fine_tuning.trained_in_graph_mode(path)
    fine_tuning.assert_same(found, expected)
    # Another graph gets the trained weights, not those of the module.
    evaluated = estimator.evaluate(lambda: batches(fine_tuning.data()).batch(160))
    trained = hub.load(path)
    for variable in trained.variables:
        variable.assign(expected[variable.name.partition(":")[0]])
    x, y = fine_tuning.data()
    error = tf.reduce_mean((trained(x) - y) ** 2)
    loss = tf.add_n([error, *(penalty() for penalty in trained.regularization_losses)])
    assert evaluated["loss"] == pytest.approx(float(loss), rel=1e-4)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

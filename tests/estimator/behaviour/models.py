"""Small models and data that the tests of the Estimator share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.estimator.canned import head as v1_heads  # noqa: F401 - has no public name

v1 = tf.compat.v1

X = np.array([[-1.0], [0.0], [1.0], [2.0]], np.float32)
Y = 2 * X + 1


def data(
    features: dict[str, Any], labels: Any = None, epochs: int | None = None
) -> Callable[[], tf.data.Dataset]:
    """An input_fn that gives all examples as one batch; for ever, or some times."""
    examples = features if labels is None else (features, labels)
    return lambda: tf.data.Dataset.from_tensors(examples).repeat(epochs)


def line(epochs: int | None = None) -> Callable[[], tf.data.Dataset]:
    """An input_fn: points of y = 2x + 1."""
    return data({"x": X}, Y, epochs)


def config(**kwargs: Any) -> tf.estimator.RunConfig:
    """A RunConfig for reproducible runs that write little."""
    return tf.estimator.RunConfig(
        **{"tf_random_seed": 7, "save_summary_steps": None, "log_step_count_steps": None, **kwargs}
    )


def line_model(features: Any, labels: Any, mode: str, params: Any = None) -> Any:
    """A model_fn: y = w * x + b, by gradient descent with `learning_rate` 0.1."""
    rate = (params or {}).get("learning_rate", 0.1)
    w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
    b = v1.get_variable("b", [], initializer=v1.zeros_initializer())
    prediction = tf.add(w * features["x"], b, name="prediction")
    predictions = {"y": prediction}
    if mode == tf.estimator.ModeKeys.PREDICT:
        outputs = {"line": tf.estimator.export.PredictOutput(predictions)}
        return tf.estimator.EstimatorSpec(mode, predictions, export_outputs=outputs)
    loss = tf.reduce_mean(tf.square(prediction - labels), name="loss")
    metrics = {"mean_y": v1.metrics.mean(prediction)}
    optimizer = v1.train.GradientDescentOptimizer(rate)
    train_op = optimizer.minimize(loss, v1.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, predictions, loss, train_op, eval_metric_ops=metrics)


def line_estimator(model_dir: str | None = None, **kwargs: Any) -> tf.estimator.Estimator:
    """An Estimator of line_model; the arguments are those of RunConfig."""
    return tf.estimator.Estimator(line_model, model_dir, config(**kwargs), params={})


def predicted(estimator: tf.estimator.Estimator, key: str, features: dict[str, Any]) -> np.ndarray:
    """What an Estimator predicts under a key, for all examples."""
    results = estimator.predict(data(features, epochs=1), predict_keys=[key])
    # A model that needs no more than the shape of its input never reaches the end of it.
    examples = len(next(iter(features.values())))
    return np.array([result[key] for result in itertools.islice(results, examples)])


def receive_x() -> Any:
    """A serving_input_fn for the feature x."""
    x = v1.placeholder(tf.float32, [None, 1], name="x")
    return tf.estimator.export.ServingInputReceiver({"x": x}, {"x": x})

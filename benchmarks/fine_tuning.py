"""A model of tf.estimator that fine-tunes a module with 200 variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

tf1 = tf.compat.v1

LAYERS = 100
UNITS = 16


def publish(hub: Any, path: str) -> None:
    """Writes the module that the model fine-tunes."""

    def module_fn() -> None:
        features = tf1.placeholder(tf.float32, [None, UNITS])
        hub.add_signature(inputs=features, outputs=add_layers(features))

    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(tf1.global_variables_initializer())
        module.export(path, session)


def add_layers(features: tf.Tensor) -> tf.Tensor:
    """Adds dense layers, of two variables each."""
    for layer in range(LAYERS):
        kernel = tf1.get_variable(f"kernel_{layer}", [UNITS, UNITS], use_resource=True)
        bias = tf1.get_variable(f"bias_{layer}", [UNITS], use_resource=True)
        features = tf.nn.relu(tf.matmul(features, kernel) + bias)
    return features


def make_model_fn(hub: Any, handle: str) -> Callable[..., Any]:
    """Makes a model_fn that fine-tunes the module, and exports it."""

    def apply(features: tf.Tensor, mode: str) -> tf.Tensor:
        module = hub.Module(handle, trainable=mode == tf1.estimator.ModeKeys.TRAIN)
        hub.register_module_for_export(module, "module")
        return module(features)

    return _make_model_fn(apply)


def make_plain_model_fn() -> Callable[..., Any]:
    """Makes a model_fn that trains the same layers without a module."""
    return _make_model_fn(lambda features, mode: add_layers(features))


def _make_model_fn(apply: Callable[[tf.Tensor, str], tf.Tensor]) -> Callable[..., Any]:
    def model_fn(features: tf.Tensor, labels: tf.Tensor, mode: str) -> Any:
        outputs = apply(features, mode)
        if mode == tf1.estimator.ModeKeys.PREDICT:
            return tf1.estimator.EstimatorSpec(mode, predictions=outputs)
        loss = tf.reduce_mean(tf.square(outputs))
        optimizer = tf1.train.GradientDescentOptimizer(0.01)
        step = optimizer.minimize(loss, tf1.train.get_global_step())
        return tf1.estimator.EstimatorSpec(mode, loss=loss, train_op=step)

    return model_fn


def make_inputs() -> tf.data.Dataset:
    """Makes batches of one row."""
    return tf.data.Dataset.from_tensors((tf.ones([1, UNITS]), 0)).repeat()


def make_serving_inputs() -> Any:
    """Makes the inputs of an export."""
    features = tf1.placeholder(tf.float32, [None, UNITS])
    return tf1.estimator.export.TensorServingInputReceiver(features, features)

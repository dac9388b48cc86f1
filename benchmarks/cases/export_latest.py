"""LatestModuleExporter.export of a model that fine-tunes a module with 200 variables.

The floor restores these variables with a Saver, and saves them again.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

tf1 = tf.compat.v1

TITLE = "`LatestModuleExporter.export`, 200 variables"
MODULES: list[str] = []
TARGETS = [TimesLess(2)]
LAYERS = 100
UNITS = 16


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Trains for a step, so that there is a checkpoint, and exports."""
    hub = importlib.import_module(library)
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        handle = os.path.join(directory, "pretrained")
        _publish(hub, handle)
        estimator = tf1.estimator.Estimator(
            _make_model_fn(hub, handle), os.path.join(directory, "model")
        )
        estimator.train(_make_inputs, steps=1)
        exporter = hub.LatestModuleExporter("hub", _make_serving_inputs)
        with measurement():
            exporter.export(estimator, os.path.join(directory, "export"))


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Reads and writes the variables."""
    with (
        tempfile.TemporaryDirectory(dir=folder) as directory,
        tf.Graph().as_default(),
        tf1.Session() as session,
    ):
        _add_layers(tf.zeros([1, UNITS]))
        session.run(tf1.global_variables_initializer())
        saver = tf1.train.Saver()
        prefix = os.path.join(directory, "model")
        saver.save(session, prefix)
        with measurement():
            saver.restore(session, prefix)
            saver.save(session, prefix + "-copy", write_meta_graph=False)


def _publish(hub: Any, path: str) -> None:
    """Writes the module that the model fine-tunes."""

    def module_fn() -> None:
        features = tf1.placeholder(tf.float32, [None, UNITS])
        hub.add_signature(inputs=features, outputs=_add_layers(features))

    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(tf1.global_variables_initializer())
        module.export(path, session)


def _add_layers(features: tf.Tensor) -> tf.Tensor:
    for layer in range(LAYERS):
        kernel = tf1.get_variable(f"kernel_{layer}", [UNITS, UNITS], use_resource=True)
        bias = tf1.get_variable(f"bias_{layer}", [UNITS], use_resource=True)
        features = tf.nn.relu(tf.matmul(features, kernel) + bias)
    return features


def _make_model_fn(hub: Any, handle: str) -> Callable[..., Any]:
    def model_fn(features: tf.Tensor, labels: tf.Tensor, mode: str) -> Any:
        module = hub.Module(handle, trainable=mode == tf1.estimator.ModeKeys.TRAIN)
        hub.register_module_for_export(module, "module")
        outputs = module(features)
        if mode == tf1.estimator.ModeKeys.PREDICT:
            return tf1.estimator.EstimatorSpec(mode, predictions=outputs)
        loss = tf.reduce_mean(tf.square(outputs))
        optimizer = tf1.train.GradientDescentOptimizer(0.01)
        step = optimizer.minimize(loss, tf1.train.get_global_step())
        return tf1.estimator.EstimatorSpec(mode, loss=loss, train_op=step)

    return model_fn


def _make_inputs() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensors((tf.ones([1, UNITS]), 0)).repeat()


def _make_serving_inputs() -> Any:
    features = tf1.placeholder(tf.float32, [None, UNITS])
    return tf1.estimator.export.TensorServingInputReceiver(features, features)

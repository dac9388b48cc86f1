"""Calls a module of text or of numbers eagerly, and runs it as a layer of a Keras model."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.measuring import Measurement

CALLS = 500
WARM_UPS = 50
BATCHES = 300
SENTENCES = [" ".join(f"word{7 * i + j}" for j in range(8)) for i in range(32)]
FEATURES: np.ndarray = np.ones([32, 16], np.float32)


def measure_calls(call: Callable[[], Any], measurement: Measurement) -> None:
    """Measures the mean of calls after the first."""
    for _ in range(WARM_UPS):
        call()
    with measurement():
        for _ in range(CALLS):
            call()
    _divide(measurement, CALLS)


def make_layer(library: str, path: Path, **options: Any) -> Any:
    """Makes a KerasLayer; that of tensorflow_hub needs the signature of a TF1 module."""
    hub = importlib.import_module(library)
    if library == "tensorflow_hub":
        options |= {"signature": "default", "output_key": "default"}
    return hub.KerasLayer(str(path), **options)


def load(library: str, path: Path) -> Callable[[tf.Tensor], Any]:
    """Loads a module, and returns how a program calls it."""
    hub = importlib.import_module(library)
    if library == "hubmodule":
        return hub.load(str(path))
    signature = hub.load(str(path), tags=[]).signatures["default"]
    return lambda inputs: signature(default=inputs)["default"]


def load_bare(path: Path, inputs: tf.Tensor) -> Callable[[tf.Tensor], Any]:
    """Loads a module with TensorFlow alone, as a tf.function."""
    module = tf.saved_model.load(str(path), tags=[])
    signature = module.signatures["default"]
    spec = tf.TensorSpec([None, *inputs.shape[1:]], inputs.dtype)
    function = tf.function(
        lambda values: signature(default=values)["default"],
        input_signature=[spec],
        autograph=False,
    )
    function.module = module  # its functions do not keep the variables
    return function


def measure_bare_calls(path: Path, measurement: Measurement) -> None:
    """Measures calls of a text module's signature with TensorFlow alone."""
    inputs = tf.constant(SENTENCES)
    call = load_bare(path, inputs)
    measure_calls(lambda: call(inputs), measurement)


def make_plain_layer(trainable: bool) -> Any:
    """Makes a Keras layer with the ops of the module `numbers`."""
    layers = [tf.keras.layers.Dense(16, "relu", use_bias=False) for _ in range(2)]
    layer = tf.keras.Sequential(layers)
    layer.trainable = trainable
    return layer


def measure_predict(layer: Any, measurement: Measurement) -> None:
    """Measures a step of model.predict() with a layer."""
    model = _make_model(layer)
    data = tf.data.Dataset.from_tensors(FEATURES).repeat(BATCHES)
    model.predict(data, verbose=0)
    with measurement():
        model.predict(data, verbose=0)
    _divide(measurement, BATCHES)


def measure_fit(layer: Any, measurement: Measurement) -> None:
    """Measures a step of model.fit() with a layer."""
    model = _make_model(layer)
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensors((FEATURES, tf.zeros([32, 1]))).repeat(BATCHES)
    model.fit(data, verbose=0)
    with measurement():
        model.fit(data, verbose=0)
    _divide(measurement, BATCHES)


def _make_model(layer: Any) -> Any:
    inputs = tf.keras.Input([16])
    return tf.keras.Model(inputs, tf.keras.layers.Dense(1)(layer(inputs)))


def _divide(measurement: Measurement, count: int) -> None:
    for metric in ("seconds", "cpu"):
        measurement.values[metric] /= count

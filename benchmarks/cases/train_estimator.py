"""Steps of an Estimator that fine-tunes a module with 200 variables.

The floor is the same model with plain variables.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks import fine_tuning
from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor, TimesLess

TITLE = "training step of an Estimator, 200 variables"
MODULES: list[str] = []
TARGETS = [TimesLess(1 / 1.1), NearFloor(1.1)]
WARM_UPS = 50
STEPS = 200


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Trains the module."""
    hub = importlib.import_module(library)
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        handle = os.path.join(directory, "pretrained")
        fine_tuning.publish(hub, handle)
        _train(fine_tuning.make_model_fn(hub, handle), directory, measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Trains plain variables."""
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        _train(fine_tuning.make_plain_model_fn(), directory, measurement)


def _train(model_fn: Any, directory: str, measurement: Measurement) -> None:
    estimator = tf.compat.v1.estimator.Estimator(model_fn, os.path.join(directory, "model"))
    hook = _MeasureSteps(measurement)
    estimator.train(fine_tuning.make_inputs, steps=WARM_UPS + STEPS, hooks=[hook])
    for metric in ("seconds", "cpu"):
        measurement.values[metric] /= STEPS


class _MeasureSteps(tf.compat.v1.train.SessionRunHook):
    """Measures the steps after the first ones."""

    def __init__(self, measurement: Measurement):
        self._measurement = measurement
        self._stack = ExitStack()
        self._step = 0

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Starts or ends to measure."""
        del run_context, run_values
        self._step += 1
        if self._step == WARM_UPS:
            self._stack.enter_context(self._measurement())
        elif self._step == WARM_UPS + STEPS:
            self._stack.close()

"""The 2nd to the 20th application, the median. The floor is the first one.

The mean would be of Python's garbage collector: as the graph grows, one in ten or so meets
a collection of all objects, which takes longer than two applications.
"""

from __future__ import annotations

import importlib
import statistics
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor

TITLE = "2nd to 20th `m(x)`, each"
TARGETS = [NearFloor(1.05, "cpu")]
AGAIN = 19


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Applies the module another 19 times."""
    hub = importlib.import_module(library)
    with tf.Graph().as_default():
        module = hub.Module(str(folder / "large"))
        images = tf.zeros([1, 8, 8, 4])
        module(images)
        rounds = [_measured(module, images, measurement) for _ in range(AGAIN)]
    for metric in measurement.values:
        measurement.values[metric] = statistics.median(values[metric] for values in rounds)


def _measured(module: Any, images: tf.Tensor, measurement: Measurement) -> dict[str, float]:
    with measurement(images.graph):
        module(images)
    return dict(measurement.values)


def floor(folder: Path, measurement: Measurement) -> None:
    """Applies it for the first time."""
    hub = importlib.import_module("hubmodule")
    with tf.Graph().as_default() as graph:
        module = hub.Module(str(folder / "large"))
        images = tf.zeros([1, 8, 8, 4])
        with measurement(graph):
            module(images)

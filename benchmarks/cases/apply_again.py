"""The 2nd to the 20th application, each on average. The floor is the first one."""

from __future__ import annotations

import importlib
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor

TITLE = "2nd to 20th `m(x)`, each"
TARGETS = [NearFloor(1, "cpu")]
AGAIN = 19


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Applies the module another 19 times."""
    hub = importlib.import_module(library)
    with tf.Graph().as_default() as graph:
        module = hub.Module(str(folder / "large"))
        images = tf.zeros([1, 8, 8, 4])
        module(images)
        with measurement(graph):
            for _ in range(AGAIN):
                module(images)
    measurement.values = {name: value / AGAIN for name, value in measurement.values.items()}


def floor(folder: Path, measurement: Measurement) -> None:
    """Applies it for the first time."""
    hub = importlib.import_module("hubmodule")
    with tf.Graph().as_default() as graph:
        module = hub.Module(str(folder / "large"))
        images = tf.zeros([1, 8, 8, 4])
        with measurement(graph):
            module(images)

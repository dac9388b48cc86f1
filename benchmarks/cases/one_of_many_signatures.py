"""One signature of a module with 40 signatures. The floor is a module that has only this one.

TensorFlow takes half as long again to import the same nodes if the graph has the state of all 40
signatures, so the time may be up to twice the floor.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor

TITLE = "`m(x)`, one signature of 40"
MODULES = ["one_signature", "many_signatures"]
TARGETS = [NearFloor(2, "cpu"), NearFloor(1, "nodes")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Applies one signature for the first time."""
    _measure_module(library, folder / "many_signatures", measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Applies the only signature."""
    _measure_module("hubmodule", folder / "one_signature", measurement)


def _measure_module(library: str, path: Path, measurement: Measurement) -> None:
    hub = importlib.import_module(library)
    with tf.Graph().as_default() as graph:
        module = hub.Module(str(path))
        images = tf.zeros([1, 8, 8, 4])
        with measurement(graph):
            module(images, signature="tower_0")

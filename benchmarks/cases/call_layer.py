"""Eager calls of a KerasLayer. The floor is a tf.function of the module's signature."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from benchmarks import calling
from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor, TimesLess

TITLE = "`KerasLayer.__call__`, eager, 32 sentences"
MODULES = ["text"]
TARGETS = [TimesLess(1, "cpu"), NearFloor(1.2, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Calls the layer."""
    inputs = tf.constant(calling.SENTENCES)
    layer = calling.make_layer(library, folder / "text")
    calling.measure_calls(lambda: layer(inputs), measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Calls the function."""
    calling.measure_bare_calls(folder / "text", measurement)

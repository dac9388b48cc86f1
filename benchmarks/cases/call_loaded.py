"""Eager calls of what hub.load() returns. The floor is a tf.function of its signature."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from benchmarks import calling
from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor, TimesLess

TITLE = "`hub.load(…)(x)`, eager, 32 sentences"
MODULES = ["text"]
TARGETS = [TimesLess(1, "cpu"), NearFloor(1.2, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Calls the loaded object."""
    inputs = tf.constant(calling.SENTENCES)
    call = calling.load(library, folder / "text")
    calling.measure_calls(lambda: call(inputs), measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Calls the function."""
    calling.measure_bare_calls(folder / "text", measurement)

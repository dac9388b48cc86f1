"""A step of model.predict() with a module as a layer. The floor has a plain layer of its ops."""

from __future__ import annotations

from pathlib import Path

from benchmarks import calling
from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor, TimesLess

TITLE = "`model.predict` with a `KerasLayer`, each step"
MODULES = ["numbers"]
TARGETS = [TimesLess(1, "cpu"), NearFloor(1.2, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Predicts with the module."""
    calling.measure_predict(calling.make_layer(library, folder / "numbers"), measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Predicts with a plain layer."""
    calling.measure_predict(calling.make_plain_layer(trainable=False), measurement)

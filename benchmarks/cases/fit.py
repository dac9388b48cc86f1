"""A step of model.fit() with a frozen module. The floor has a plain layer of its ops."""

from __future__ import annotations

from pathlib import Path

from benchmarks import calling
from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor, TimesLess

TITLE = "`model.fit` with a frozen `KerasLayer`, each step"
MODULES = ["numbers"]
TARGETS = [TimesLess(1, "cpu"), NearFloor(1.2, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Trains a layer after the module."""
    calling.measure_fit(calling.make_layer(library, folder / "numbers"), measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Trains a layer after a plain one."""
    calling.measure_fit(calling.make_plain_layer(trainable=False), measurement)

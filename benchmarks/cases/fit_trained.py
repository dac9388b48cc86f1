"""A step of model.fit() that trains a module, which tensorflow_hub cannot do in TF2."""

from __future__ import annotations

from pathlib import Path

from benchmarks import calling
from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor

TITLE = "`model.fit` with a trained `KerasLayer`, each step"
MODULES = ["numbers"]
TARGETS = [NearFloor(1.2, "cpu")]
LIBRARIES = ["hubmodule", "floor"]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Trains the module, and a layer after it."""
    layer = calling.make_layer(library, folder / "numbers", trainable=True)
    calling.measure_fit(layer, measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Trains plain layers."""
    calling.measure_fit(calling.make_plain_layer(trainable=True), measurement)

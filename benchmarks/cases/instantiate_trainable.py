"""Module(trainable=True, tags={"train"}): with the regularisation losses. Floor: as instantiate."""

from __future__ import annotations

from pathlib import Path

from benchmarks.cases.instantiate import measure_import, measure_module
from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = '`Module(trainable=True, tags={"train"})`'
MODULES = ["large"]
TARGETS = [TimesLess(6, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Puts the module into a graph."""
    measure_module(library, folder, measurement, trainable=True, tags={"train"})


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Imports the nodes."""
    measure_import(folder, measurement, trainable=True, tags={"train"})

"""The first export of a module from a session."""

from __future__ import annotations

from pathlib import Path

from benchmarks import exporting
from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "first `Module.export`, 450 variables, 2 variants"
MODULES = ["large"]
TARGETS = [TimesLess(1, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Exports the module."""
    with exporting.prepare(library, folder / "large") as export:
        exporting.measure_first(export, measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Saves the variables, and writes saved_model.pb."""
    with exporting.prepare_floor(folder / "large") as export:
        exporting.measure_first(export, measurement)

"""Exports of a module after the first, as of a program that exports while it trains."""

from __future__ import annotations

from pathlib import Path

from benchmarks import exporting
from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "further exports in the same graph, each"
MODULES = ["large"]
TARGETS = [TimesLess(1, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Exports the module."""
    with exporting.prepare(library, folder / "large") as export:
        exporting.measure_further(export, measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Saves the variables, and writes saved_model.pb."""
    with exporting.prepare_floor(folder / "large") as export:
        exporting.measure_further(export, measurement)

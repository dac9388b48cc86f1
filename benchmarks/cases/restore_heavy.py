"""Restoring 1 GiB of variables. The floor is Saver.restore."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measuring import Measurement
from benchmarks.restoring import restore, run_initialisers
from benchmarks.targets import NearFloor

TITLE = "restore, 1 GiB of variables"
MODULES = ["heavy"]
TARGETS = [NearFloor(1.05), NearFloor(1.1, "memory")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Runs the initialisers."""
    run_initialisers(library, folder / "heavy", measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Restores with a Saver."""
    restore(folder / "heavy", measurement)

"""Running the initialisers of a large module. The floor is a bare Saver's restore."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measuring import Measurement
from benchmarks.restoring import restore, run_initialisers
from benchmarks.targets import TimesLess

TITLE = "running the initialisers"
MODULES = ["large"]
TARGETS = [TimesLess(4)]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Runs the initialisers."""
    run_initialisers(library, folder / "large", measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Restores with a Saver."""
    restore(folder / "large", measurement)

"""m(x) on a large module. The floor imports just the nodes that a call adds."""

from __future__ import annotations

from pathlib import Path

from benchmarks import applying
from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "`m(x)` on it"
MODULES = ["large"]
TARGETS = [TimesLess(5, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Applies the module for the first time."""
    applying.apply(library, folder / "large", measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Imports the nodes."""
    applying.import_nodes(folder / "large", measurement)

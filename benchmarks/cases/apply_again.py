"""The 2nd to the 20th m(x). The floor imports the nodes of a call as often.

The measure is how much slower they are than the first m(x) in a graph.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import applying
from benchmarks.measuring import Measurement
from benchmarks.targets import AtMost

TITLE = "2nd to 20th `m(x)`, each"
MODULES = ["large"]
TARGETS = [AtMost(1.05, "slowdown")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Applies the module 20 times."""
    applying.apply_again(library, folder / "large", measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Imports the nodes 20 times."""
    applying.import_nodes_again(folder / "large", measurement)

"""hub.load() of a large module in TF2. The floor is tf.saved_model.load."""

from __future__ import annotations

import importlib
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "`hub.load` of it"
TARGETS = [TimesLess(2)]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Loads it."""
    load = importlib.import_module(library).load
    with measurement():
        load(str(folder / "large"))


def floor(folder: Path, measurement: Measurement) -> None:
    """Loads it without a library."""
    with measurement():
        tf.saved_model.load(str(folder / "large"), tags=[])

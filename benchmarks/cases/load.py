"""hub.load() of a large module in TF2 up to its first result. The floor is tf.saved_model.load.

The first result counts, because a library may postpone work until then.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "`hub.load` of it, to the first result"
MODULES = ["large"]
TARGETS = [TimesLess(2)]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Loads it and calls its signature."""
    load = importlib.import_module(library).load
    _measure(lambda: load(str(folder / "large")), measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Loads it and calls its signature without a library."""
    _measure(lambda: tf.saved_model.load(str(folder / "large"), tags=[]), measurement)


def _measure(load: Callable[[], Any], measurement: Measurement) -> None:
    images = tf.zeros([1, 8, 8, 4])
    with measurement():
        module = load()  # in a variable: its functions do not keep it
        module.signatures["default"](images=images)

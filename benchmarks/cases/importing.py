"""Importing the library after TensorFlow, with the names of graph mode."""

from __future__ import annotations

import importlib
from pathlib import Path

from benchmarks.measuring import Measurement
from benchmarks.targets import AtMost

TITLE = "`import hubmodule` beyond TensorFlow's"
MODULES: list[str] = []
TARGETS = [AtMost(0.050, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Imports it."""
    del folder
    with measurement():
        hub = importlib.import_module(library)
        _ = hub.Module, hub.create_module_spec, hub.load_module_spec

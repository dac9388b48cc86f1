"""How many nodes a graph has after one application of a large module."""

from __future__ import annotations

import importlib
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "nodes in the graph after one application"
MODULES = ["large"]
TARGETS = [TimesLess(2.5, "nodes")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Counts what the module and one application add."""
    hub = importlib.import_module(library)
    make = hub.Module  # a lazy name is looked up once
    with tf.Graph().as_default() as graph:
        images = tf.zeros([1, 8, 8, 4])
        with measurement(graph):
            make(str(folder / "large"))(images)

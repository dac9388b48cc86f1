"""Module() on a large module. The floor imports just the nodes that a Module adds."""

from __future__ import annotations

import importlib
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "`Module()`, 450 variables, 6,800 nodes"
MODULES = ["large"]
TARGETS = [TimesLess(8, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Puts the module into a graph, with all that `Module()` reads of it."""
    measure_module(library, folder, measurement)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Imports the nodes."""
    measure_import(folder, measurement)


def measure_module(library: str, folder: Path, measurement: Measurement, **options: object) -> None:
    """Measures `Module()` with these options."""
    hub = importlib.import_module(library)
    make = hub.Module  # a lazy name is looked up once
    with tf.Graph().as_default() as graph, measurement(graph):
        make(str(folder / "large"), **options)


def measure_import(folder: Path, measurement: Measurement, **options: object) -> None:
    """Measures the import of the nodes of a `Module()` into an empty graph."""
    hub = importlib.import_module("hubmodule")
    with tf.Graph().as_default() as graph:
        hub.Module(str(folder / "large"), **options)
    nodes = graph.as_graph_def()
    with tf.Graph().as_default() as graph, measurement(graph):
        tf.import_graph_def(nodes, name="")

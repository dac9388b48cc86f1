"""m(x) on a large module. The floor imports just the nodes that a call adds."""

from __future__ import annotations

import importlib
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "`m(x)` on it"
TARGETS = [TimesLess(5, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Applies the module for the first time."""
    hub = importlib.import_module(library)
    with tf.Graph().as_default() as graph:
        module = hub.Module(str(folder / "large"))
        images = tf.zeros([1, 8, 8, 4])
        with measurement(graph):
            module(images)


def floor(folder: Path, measurement: Measurement) -> None:
    """Imports the nodes."""
    hub = importlib.import_module("hubmodule")
    with tf.Graph().as_default() as graph:
        module = hub.Module(str(folder / "large"))
        images = tf.zeros([1, 8, 8, 4])
        known = {node.name for node in graph.as_graph_def().node}
        module(images)
    added = graph.as_graph_def()
    kept = [node for node in added.node if node.name not in known]
    del added.node[:]
    added.node.extend(kept)
    with tf.Graph().as_default() as graph:
        hub.Module(str(folder / "large"))
        images = tf.zeros([1, 8, 8, 4])
        names = {name for node in kept for name in node.input}
        state = {n: graph.as_graph_element(f"{n}:0") for n in names & known}
        with measurement(graph):
            tf.import_graph_def(added, input_map=state, name="")

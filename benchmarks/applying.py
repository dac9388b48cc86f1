"""Applies a module, or imports only the nodes that an application adds, which is the floor."""

from __future__ import annotations

import importlib
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.measuring import Measurement

TIMES = 20
FIRSTS = 3


def apply(library: str, path: Path, measurement: Measurement) -> None:
    """Measures the first application of a module."""
    with tf.Graph().as_default() as graph:
        module, images = _make_module(library, path)
        with measurement(graph):
            module(images)


def apply_again(library: str, path: Path, measurement: Measurement) -> None:
    """Measures applications after the first; see `_measure_again`."""

    def prepare() -> Callable[[int], Any]:
        module, images = _make_module(library, path)
        return lambda _: module(images)

    _measure_again(prepare, measurement)


def import_nodes(path: Path, measurement: Measurement) -> None:
    """Measures the import of the nodes of an application."""
    import_nodes = _make_importer(path)
    with tf.Graph().as_default() as graph:
        _make_module("hubmodule", path)
        with measurement(graph):
            import_nodes("")


def import_nodes_again(path: Path, measurement: Measurement) -> None:
    """Measures imports of these nodes after the first; see `_measure_again`."""
    import_nodes = _make_importer(path)

    def prepare() -> Callable[[int], Any]:
        _make_module("hubmodule", path)
        return lambda time: import_nodes(f"import_{time}")

    _measure_again(prepare, measurement)


def _make_module(library: str, path: Path) -> tuple[Any, tf.Tensor]:
    """Adds a module to the default graph, and returns it with an input for it."""
    return importlib.import_module(library).Module(str(path)), tf.zeros([1, 8, 8, 4])


def _measure_again(prepare: Callable[[], Callable[[int], Any]], measurement: Measurement) -> None:
    """Measures 20 calls: the median after the first, and how much slower that is than the first.

    The first time is the median of several graphs, after one for warming up. The mean would
    measure Python's garbage collector: as a graph grows, about one call in ten coincides with
    a collection of all objects, which takes longer than two applications.
    """
    firsts = []
    for _ in range(FIRSTS + 1):
        with tf.Graph().as_default() as graph:
            run = prepare()
            with measurement(graph):
                run(0)
            firsts.append(measurement.values["cpu"])
    rounds = []
    with graph.as_default():
        for time in range(1, TIMES):
            with measurement(graph):
                run(time)
            rounds.append(dict(measurement.values))
    for metric in measurement.values:
        measurement.values[metric] = statistics.median(values[metric] for values in rounds)
    measurement.values["slowdown"] = measurement.values["cpu"] / statistics.median(firsts[1:])


def _make_importer(path: Path) -> Callable[[str], Any]:
    """Makes a function that imports the nodes that an application adds to a graph."""
    with tf.Graph().as_default() as graph:
        module, images = _make_module("hubmodule", path)
        known = {node.name for node in graph.as_graph_def().node}
        module(images)
    added = graph.as_graph_def()
    kept = [node for node in added.node if node.name not in known]
    for node in kept:
        node.attr.pop("_class", None)  # may name state, which is not under the scope
    del added.node[:]
    added.node.extend(kept)
    state = known & {name for node in kept for name in node.input}

    def import_under(scope: str) -> Any:
        graph = tf.compat.v1.get_default_graph()
        tensors = {name: graph.as_graph_element(f"{name}:0") for name in state}
        return tf.import_graph_def(added, input_map=tensors, name=scope)

    return import_under

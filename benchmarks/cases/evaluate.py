"""eval_function_for_module() up to its first result, on a large module.

The floor imports a graph with the nodes that are needed, runs an op that restores the variables,
and computes the result.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "`eval_function_for_module` to its first result"
MODULES = ["large"]
TARGETS = [TimesLess(6)]
IMAGES: np.ndarray = np.zeros([1, 8, 8, 4], np.float32)


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Calls the function once."""
    hub = importlib.import_module(library)
    evaluate = hub.eval_function_for_module
    with measurement(), evaluate(str(folder / "large")) as function:
        function(IMAGES)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Computes the same result without a library."""
    hub = importlib.import_module("hubmodule")
    with tf.Graph().as_default() as graph:
        module = hub.Module(str(folder / "large"))
        images = tf.compat.v1.placeholder(tf.float32, [None, 8, 8, 4])
        names = [images.name, module(images).name]
        initialiser = tf.compat.v1.global_variables_initializer().name
    graph_def = graph.as_graph_def()
    with measurement(), tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        tf.import_graph_def(graph_def, name="")
        session.run(initialiser)
        session.run(names[1], {names[0]: IMAGES})

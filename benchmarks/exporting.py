"""Exports a module from a session; the floor is a bare Saver, and the same saved_model.pb."""

from __future__ import annotations

import importlib
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.measuring import Measurement

TIMES = 10
# Exports one module to the path that it is given.
Export = Callable[[str], None]


@contextmanager
def prepare(library: str, path: Path) -> Iterator[Export]:
    """Opens a session with a module, and yields the function that exports it."""
    hub = importlib.import_module(library)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(str(path))
        _initialise(session)
        yield lambda target: module.export(target, session)


@contextmanager
def prepare_floor(path: Path) -> Iterator[Export]:
    """Opens a session with a module, and yields a function that writes the same without it."""
    hub = importlib.import_module("hubmodule")
    content = (path / "saved_model.pb").read_bytes()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        saver = tf.compat.v1.train.Saver(hub.Module(str(path)).variable_map)
        _initialise(session)

        def export(target: str) -> None:
            prefix = os.path.join(target, "variables/variables")
            os.makedirs(os.path.dirname(prefix))
            saver.save(session, prefix, write_meta_graph=False, write_state=False)
            Path(target, "saved_model.pb").write_bytes(content)

        yield export


def measure_first(export: Export, measurement: Measurement) -> None:
    """Measures the first export."""
    with tempfile.TemporaryDirectory() as directory, measurement():
        export(os.path.join(directory, "first"))


def measure_further(export: Export, measurement: Measurement) -> None:
    """Measures exports after the first: the median of each metric."""
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as directory:
        export(os.path.join(directory, "first"))
        for time in range(TIMES):
            with measurement():
                export(os.path.join(directory, str(time)))
            runs.append(dict(measurement.values))
    for metric in measurement.values:
        measurement.values[metric] = statistics.median(run[metric] for run in runs)


def _initialise(session: tf.compat.v1.Session) -> None:
    session.run([tf.compat.v1.global_variables_initializer(), tf.compat.v1.tables_initializer()])

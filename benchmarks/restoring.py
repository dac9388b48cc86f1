"""Reads a module's variables: by its initialisers, or by a bare Saver, which is the floor."""

from __future__ import annotations

import importlib
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement


def run_initialisers(library: str, path: Path, measurement: Measurement) -> None:
    """Measures the initialisers of a module in a new session."""
    hub = importlib.import_module(library)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        hub.Module(str(path))
        initialiser = tf.compat.v1.global_variables_initializer()
        with measurement():
            session.run(initialiser)


def restore(path: Path, measurement: Measurement) -> None:
    """Measures a Saver that restores the module's checkpoint."""
    hub = importlib.import_module("hubmodule")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        saver = tf.compat.v1.train.Saver(hub.Module(str(path)).variable_map)
        with measurement():
            saver.restore(session, str(path / "variables/variables"))

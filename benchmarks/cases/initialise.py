"""Running the initialisers of a large module. The floor is a bare Saver's restore."""

from __future__ import annotations

import importlib
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "running the initialisers"
TARGETS = [TimesLess(4)]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Runs them in a new session."""
    hub = importlib.import_module(library)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        hub.Module(str(folder / "large"))
        initialiser = tf.compat.v1.global_variables_initializer()
        with measurement():
            session.run(initialiser)


def floor(folder: Path, measurement: Measurement) -> None:
    """Restores the module's checkpoint with a Saver."""
    hub = importlib.import_module("hubmodule")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(str(folder / "large"))
        saver = tf.compat.v1.train.Saver(module.variable_map)
        with measurement():
            saver.restore(session, str(folder / "large/variables/variables"))

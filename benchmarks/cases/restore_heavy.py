"""Restoring 1 GiB of variables. The floor is Saver.restore."""

from __future__ import annotations

import importlib
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor

TITLE = "restore, 1 GiB of variables"
TARGETS = [NearFloor(1.05), NearFloor(1.1, "memory")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Runs the initialisers."""
    hub = importlib.import_module(library)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        hub.Module(str(folder / "heavy"))
        initialiser = tf.compat.v1.global_variables_initializer()
        with measurement():
            session.run(initialiser)


def floor(folder: Path, measurement: Measurement) -> None:
    """Restores with a Saver."""
    hub = importlib.import_module("hubmodule")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        saver = tf.compat.v1.train.Saver(hub.Module(str(folder / "heavy")).variable_map)
        with measurement():
            saver.restore(session, str(folder / "heavy/variables/variables"))

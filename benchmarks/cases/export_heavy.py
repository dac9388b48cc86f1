"""Exporting 1 GiB of variables. The floor is Saver.save."""

from __future__ import annotations

import importlib
import os
import tempfile
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor

TITLE = "export, 1 GiB of variables"
MODULES = ["heavy"]
TARGETS = [NearFloor(1.05), NearFloor(1.1, "process")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Exports a module that was just initialised."""
    hub = importlib.import_module(library)
    with (
        tempfile.TemporaryDirectory(dir=folder) as directory,
        tf.Graph().as_default(),
        tf.compat.v1.Session() as session,
    ):
        module = hub.Module(str(folder / "heavy"))
        session.run(tf.compat.v1.global_variables_initializer())
        os.sync()
        with measurement():
            module.export(os.path.join(directory, "module"), session)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Saves the same variables."""
    hub = importlib.import_module("hubmodule")
    with (
        tempfile.TemporaryDirectory(dir=folder) as directory,
        tf.Graph().as_default(),
        tf.compat.v1.Session() as session,
    ):
        module = hub.Module(str(folder / "heavy"))
        saver = tf.compat.v1.train.Saver(module.variable_map)
        session.run(tf.compat.v1.global_variables_initializer())
        os.sync()
        with measurement():
            saver.save(session, os.path.join(directory, "model"), write_meta_graph=False)

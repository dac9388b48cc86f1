"""Running the initialisers where two devices, like parameter servers, share the variables.

The floor is the restore of a bare, sharded Saver.
"""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

TITLE = "the same, variables on two devices"
MODULES = ["large"]
TARGETS = [TimesLess(5)]

CONFIG = tf.compat.v1.ConfigProto(device_count={"CPU": 2})


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Runs them in a new session with two devices."""
    hub = importlib.import_module(library)
    with tf.Graph().as_default(), tf.compat.v1.Session(config=CONFIG) as session:
        with tf.compat.v1.device(_make_device_function()):
            hub.Module(str(folder / "large"))
        initialiser = tf.compat.v1.global_variables_initializer()
        with measurement():
            session.run(initialiser)


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Restores the module's checkpoint with a Saver."""
    hub = importlib.import_module("hubmodule")
    with tf.Graph().as_default(), tf.compat.v1.Session(config=CONFIG) as session:
        with tf.compat.v1.device(_make_device_function()):
            module = hub.Module(str(folder / "large"))
        saver = tf.compat.v1.train.Saver(module.variable_map, sharded=True)
        with measurement():
            saver.restore(session, str(folder / "large/variables/variables"))


def _make_device_function() -> object:
    """Makes a device function that alternates, as tf.compat.v1.train.replica_device_setter does."""
    devices = itertools.cycle(["/cpu:0", "/cpu:1"])
    return lambda op: next(devices) if op.type == "VarHandleOp" else "/cpu:0"

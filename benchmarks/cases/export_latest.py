"""LatestModuleExporter.export of a model that fine-tunes a module with 200 variables.

The floor restores these variables with a Saver, and saves them again.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from pathlib import Path

import tensorflow as tf

from benchmarks import fine_tuning
from benchmarks.measuring import Measurement
from benchmarks.targets import TimesLess

tf1 = tf.compat.v1

TITLE = "`LatestModuleExporter.export`, 200 variables"
MODULES: list[str] = []
TARGETS = [TimesLess(2)]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Trains for a step, so that there is a checkpoint, and exports."""
    hub = importlib.import_module(library)
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        handle = os.path.join(directory, "pretrained")
        fine_tuning.publish(hub, handle)
        estimator = tf1.estimator.Estimator(
            fine_tuning.make_model_fn(hub, handle), os.path.join(directory, "model")
        )
        estimator.train(fine_tuning.make_inputs, steps=1)
        exporter = hub.LatestModuleExporter("hub", fine_tuning.make_serving_inputs)
        with measurement():
            exporter.export(estimator, os.path.join(directory, "export"))


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Reads and writes the variables."""
    with (
        tempfile.TemporaryDirectory(dir=folder) as directory,
        tf.Graph().as_default(),
        tf1.Session() as session,
    ):
        fine_tuning.add_layers(tf.zeros([1, fine_tuning.UNITS]))
        session.run(tf1.global_variables_initializer())
        saver = tf1.train.Saver()
        prefix = os.path.join(directory, "model")
        saver.save(session, prefix)
        with measurement():
            saver.restore(session, prefix)
            saver.save(session, prefix + "-copy", write_meta_graph=False)

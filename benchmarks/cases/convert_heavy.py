"""Converting 1 GiB of variables to a TF2 SavedModel. The floor loads and saves a checkpoint."""

from __future__ import annotations

import tempfile
from pathlib import Path

import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor

TITLE = "`hubmodule convert`, 1 GiB of variables"
MODULES = ["heavy"]
TARGETS = [NearFloor(1.1, "process")]
LIBRARIES = ["hubmodule", "floor"]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Converts the module."""
    del library
    from hubmodule.tf2.convert import convert

    with tempfile.TemporaryDirectory(dir=folder) as directory, measurement():
        convert(str(folder / "heavy"), str(Path(directory, "converted")))


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Reads the variables into eager variables, and saves them."""
    reader = tf.train.load_checkpoint(str(folder / "heavy/variables/variables"))
    with tempfile.TemporaryDirectory(dir=folder) as directory, measurement():
        variables = [tf.Variable(reader.get_tensor(n)) for n in reader.get_variable_to_shape_map()]
        tf.train.Checkpoint(variables=variables).write(str(Path(directory, "saved")))

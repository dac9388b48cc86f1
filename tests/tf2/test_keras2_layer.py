"""keras2_layer: saved Keras models find KerasLayer under the name that they store."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tensorflow as tf

from hubmodule.keras.keras2_layer import keras
from hubmodule.tf2.keras2_layer import KerasLayer
from tests.keras.layer_contract import NORM

KERAS = "keras" if tf.__version__.startswith("2.15.") else "tf_keras"
# The layer in the config.json of a saved model of hubmodule 0.1.
STORED = {
    "module": "hubmodule.tf2.keras2_layer",
    "class_name": "KerasLayer",
    "config": {"handle": NORM, "name": "norm", "trainable": True, "dtype": "float32"},
    "registered_name": "hubmodule>KerasLayer",
}


def print_in_new_process(program: str) -> str:
    """Runs a program that uses hub.KerasLayer, and returns what it prints."""
    imports = f"import {KERAS} as keras\nimport hubmodule as hub\nhub.KerasLayer\n"
    done = subprocess.run(
        [sys.executable, "-c", imports + program],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_a_layer_in_a_model_of_an_earlier_version_is_found() -> None:
    printed = print_in_new_process(
        f"layer = keras.saving.deserialize_keras_object({STORED})\n"
        "print(type(layer).__name__, layer.name, layer.trainable, len(layer.weights))"
    )
    assert printed == "KerasLayer norm True 5"


def test_the_stored_name_is_that_of_the_class() -> None:
    module = importlib.import_module(str(STORED["module"]))
    assert module.KerasLayer is KerasLayer
    assert KerasLayer.__module__ == STORED["module"]


def test_models_store_the_name_that_earlier_versions_know(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model = keras.Sequential([keras.Input([3]), KerasLayer(NORM)])
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    assert '"module": "hubmodule.tf2.keras2_layer"' in config
    assert '"registered_name": "hubmodule>KerasLayer"' in config
    printed = print_in_new_process(
        f"model = keras.models.load_model({str(path)!r})\n"
        "import numpy as np\n"
        "print(model(np.ones([1, 3], np.float32)).numpy().tolist())"
    )
    assert printed == str(model(tf.ones([1, 3])).numpy().tolist())


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

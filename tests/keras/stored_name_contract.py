"""What saved Keras models need of the module path that they store, for Keras 2 and Keras 3."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from tests.keras.layer_contract import NORM


class StoredNameContract:
    """Tests of a file that keeps KerasLayer importable from the path that saved models name.

    Attributes:
        keras: The Keras of the layer.
        imported_as: The name under which a program imports that Keras.
        path: The module path that saved models store.
        KerasLayer: The class at that path.
    """

    keras: Any
    imported_as: str
    path: str
    KerasLayer: Any

    def print_in_new_process(self, program: str) -> str:
        """Runs a program that uses hub.KerasLayer, and returns what it prints."""
        imports = f"import {self.imported_as} as keras\nimport hubmodule as hub\nhub.KerasLayer\n"
        done = subprocess.run(
            [sys.executable, "-c", imports + program], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip()

    def test_a_layer_in_a_model_of_an_earlier_version_is_found(self) -> None:
        # The layer in the config.json of a saved model of hubmodule 0.1.
        stored = {
            "module": self.path,
            "class_name": "KerasLayer",
            "config": {"handle": NORM, "name": "norm", "trainable": True, "dtype": "float32"},
            "registered_name": "hubmodule>KerasLayer",
        }
        printed = self.print_in_new_process(
            f"layer = keras.saving.deserialize_keras_object({stored})\n"
            "print(type(layer).__name__, layer.name, layer.trainable, len(layer.weights))"
        )
        assert printed == "KerasLayer norm True 5"

    def test_the_stored_name_is_that_of_the_class(self) -> None:
        assert importlib.import_module(self.path).KerasLayer is self.KerasLayer
        assert self.KerasLayer.__module__ == self.path

    def test_models_store_the_name_that_earlier_versions_know(self, tmp_path: Path) -> None:
        path = tmp_path / "model.keras"
        model = self.keras.Sequential([self.keras.Input([3]), self.KerasLayer(NORM)])
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            config = archive.read("config.json").decode()
        assert f'"module": "{self.path}"' in config
        assert '"registered_name": "hubmodule>KerasLayer"' in config
        printed = self.print_in_new_process(
            f"model = keras.models.load_model({str(path)!r})\n"
            "import numpy as np\n"
            "print(model(np.ones([1, 3], np.float32)).numpy().tolist())"
        )
        assert printed == str(model(tf.ones([1, 3])).numpy().tolist())

"""keras3_layer: saved Keras models find KerasLayer under the name that they store."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

if tf.__version__.startswith("2.15."):
    pytest.skip("Keras 3 came with TensorFlow 2.16", allow_module_level=True)

import keras

from hubmodule.tf2.keras3_layer import KerasLayer
from tests.keras.stored_name_contract import StoredNameContract


class TestKeras3Layer(StoredNameContract):
    keras = keras
    imported_as = "keras"
    path = "hubmodule.tf2.keras3_layer"
    KerasLayer = KerasLayer


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

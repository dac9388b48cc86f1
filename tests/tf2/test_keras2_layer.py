"""keras2_layer: saved Keras models find KerasLayer under the name that they store."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.keras.keras2_layer import keras
from hubmodule.tf2.keras2_layer import KerasLayer
from tests.keras.stored_name_contract import StoredNameContract


class TestKeras2Layer(StoredNameContract):
    keras = keras
    imported_as = "keras" if tf.__version__.startswith("2.15.") else "tf_keras"
    path = "hubmodule.tf2.keras2_layer"
    KerasLayer = KerasLayer


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

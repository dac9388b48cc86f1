"""Tests of KerasLayer for Keras 3 on TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from hubmodule.errors import ModuleDefinitionError
from tests.keras.layer_contract import NORM, SENTENCES, TEXT, LayerContract, labelled_fn
from tests.module.graphs import exported

if tf.__version__.startswith("2.15."):
    pytest.skip("Keras 3 came with TensorFlow 2.16", allow_module_level=True)

import keras

from hubmodule.keras.keras3_layer import KerasLayer


class TestKeras3Layer(LayerContract):
    keras = keras
    KerasLayer = KerasLayer

    def variable(self, weight: Any) -> tf.Variable:
        return weight.value

    def test_saved_models(self, tmp_path: Path) -> None:
        model = self.text_model()
        model.export(str(tmp_path / "model"))
        given = tf.constant(SENTENCES)
        plain = tf.saved_model.load(str(tmp_path / "model"))
        np.testing.assert_allclose(plain.serve(given), model(given), rtol=1e-6)

    def test_shapes_are_tuples(self) -> None:
        for layer in (KerasLayer(NORM), KerasLayer(NORM, output_shape=[3])):
            assert layer.compute_output_shape((8, 3)) == (8, 3)
            assert isinstance(layer.compute_output_shape((8, 3)), tuple)

    def test_strings_as_files_of_keras_2_hold_them(self, tmp_path: Path) -> None:
        layer = KerasLayer(exported(tmp_path / "module", labelled_fn))
        layer.load_own_variables({"0": np.array([b"new", b"\xff"], object)})
        assert layer.get_weights()[0].tolist() == [b"new", b"\xff"]

    def test_an_input_shape_makes_no_strings(self) -> None:
        with pytest.raises(ModuleDefinitionError, match=r"keras.Input\(shape=\[\], dtype='string'"):
            KerasLayer(TEXT, input_shape=[], dtype=tf.string)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of KerasLayer for Keras 2: tf_keras, or the Keras within TensorFlow 2.15."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from hubmodule.tf2.keras2_layer import KerasLayer, keras
from tests.tf2.layer_contract import SENTENCES, LayerContract


class TestKeras2Layer(LayerContract):
    keras = keras
    KerasLayer = KerasLayer

    def variable(self, weight: Any) -> tf.Variable:
        return weight

    def test_saved_models(self, tmp_path: Path) -> None:
        model = self.text_model()
        model.save(str(tmp_path / "model"))
        given = tf.constant(SENTENCES)
        loaded = keras.models.load_model(str(tmp_path / "model"))
        np.testing.assert_allclose(loaded(given), model(given), rtol=1e-6)
        assert isinstance(loaded.layers[1], KerasLayer)
        plain = tf.saved_model.load(str(tmp_path / "model"))
        np.testing.assert_allclose(plain(given), model(given), rtol=1e-6)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

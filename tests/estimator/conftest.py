"""Makes tf.keras Keras 2 before any test of this process can use it as Keras 3."""

from __future__ import annotations

import pytest

import hubmodule as hub

hub.enable_estimator()


@pytest.fixture
def model_dir(tmp_path):
    """The path of an Estimator's directory."""
    return str(tmp_path / "model")

"""What tests of the Estimator share."""

from __future__ import annotations

import pytest


@pytest.fixture
def model_dir(tmp_path):
    """The path of an Estimator's directory."""
    return str(tmp_path / "model")

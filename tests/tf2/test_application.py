"""application: signatures in wrapped functions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from hubmodule.tf2.application import Application
from tests.module.graphs import affine, exported
from tests.tf2.parts import parts


def wrap(application: Application) -> Any:
    return tf.compat.v1.wrap_function(application.add_ops, application.tensor_specs)


@pytest.mark.parametrize("updates, shift", [(False, 1.0), (True, 11.0)])
def test_outputs_wait_for_updates(updates: bool, shift: float, tmp_path: Path) -> None:
    variant, state = parts(exported(tmp_path / "m", affine))
    state.add(variant)
    outputs = wrap(Application(variant, "default", state, runs_updates=updates))(tf.constant([3.0]))
    assert list(outputs) == ["default"]
    assert state.variables["b"].numpy() == shift


@pytest.mark.parametrize("watched", [True, False])
def test_tapes_see_variables_if_they_shall(watched: bool, tmp_path: Path) -> None:
    variant, state = parts(exported(tmp_path / "m", affine))
    state.add(variant)
    function = wrap(Application(variant, "default", state, is_watched=watched))
    with tf.GradientTape() as tape:
        function(tf.constant([3.0]))
    assert [v.name for v in tape.watched_variables()] == (["w:0"] if watched else [])


def test_inputs_are_specs_by_name(tmp_path: Path) -> None:
    variant, state = parts(exported(tmp_path / "m", affine))
    application = Application(variant, "default", state)
    spec = tf.TensorSpec([None], tf.float32)
    assert application.input_specs == {"default": spec}
    assert application.output_specs == {"default": spec}
    assert application.tensor_specs == [spec]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

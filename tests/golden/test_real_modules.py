"""Modules that other people published mean to hubmodule what they meant to tensorflow_hub.

They lie outside the repository, in modules/ and golden/ under HUBMODULE_SHARED_DATA, by
default ../shared/data of the repository's root. Without them these tests are skipped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import hubmodule as hub
from tests.golden import observe, recordings, values
from tests.golden.definitions import Call
from tests.golden.values import Value

_ROOT = Path(__file__).resolve().parents[2]
_DATA = Path(os.environ.get("HUBMODULE_SHARED_DATA") or _ROOT.parent / "shared" / "data")
COSMIC_RIM = "cosmic_rim_likelihood_1569678366"

pytestmark = pytest.mark.skipif(
    not (_DATA / "modules").is_dir(),
    reason=f"the real modules are not in {_DATA}; HUBMODULE_SHARED_DATA may say where they are",
)


def _path(name: str) -> str:
    return str(_DATA / "modules" / name)


def _recorded(name: str) -> tuple[Call, Mapping[str, Value]]:
    file = _DATA / "golden" / f"{name}__notags__default.npz"
    inputs, outputs = recordings.load_call(file)
    return Call(inputs), outputs


# Outputs that are drawn at random are not in the recordings.
@pytest.mark.parametrize(
    ("name", "random"),
    [
        ("half_plus_two_v1", set()),
        ("DM21", set()),
        (COSMIC_RIM, {"sample", "rawsample"}),
    ],
)
def test_outputs(name: str, random: set[str]) -> None:
    call, recorded = _recorded(name)
    outputs = observe.outputs(hub, tf, hub.load_module_spec(_path(name)), call)
    assert set(outputs) - set(recorded) == random
    fixed = {name: value for name, value in outputs.items() if name not in random}
    assert values.differences(fixed, recorded) == {}


def test_eval_function_for_module() -> None:
    with hub.eval_function_for_module(_path("half_plus_two_v1")) as evaluate:
        np.testing.assert_array_equal(evaluate([1.0, 4.0]), np.array([2.5, 4.0], np.float32))


# Counted with tensorflow_hub 0.15 on TensorFlow 2.15.1.
@pytest.mark.parametrize(
    ("name", "variables", "trainable", "model", "losses"),
    [("half_plus_two_v1", 2, 2, 0, 0), ("DM21", 28, 28, 0, 12), (COSMIC_RIM, 32, 26, 32, 0)],
)
def test_collections(name: str, variables: int, trainable: int, model: int, losses: int) -> None:
    with tf.Graph().as_default() as graph:
        module = hub.Module(_path(name), trainable=True)
    assert len(module.variable_map) == variables
    keys = tf.GraphKeys
    collections = {
        keys.GLOBAL_VARIABLES: variables,
        keys.TRAINABLE_VARIABLES: trainable,
        keys.MODEL_VARIABLES: model,
        keys.REGULARIZATION_LOSSES: losses,
    }
    assert {key: len(graph.get_collection(key)) for key in collections} == collections


def test_variable_names() -> None:
    with tf.Graph().as_default() as graph:
        hub.Module(_path("half_plus_two_v1"), name="half")
        names = sorted(v.op.name for v in graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES))
    assert names == ["half/a", "half/b"]


def test_inputs_keep_their_odd_names() -> None:
    infos = hub.load_module_spec(_path("DM21")).get_input_info_dict()
    assert len(infos) == 11
    assert infos["tensor_dict$grid_coords"].get_shape().as_list() == [None, 3]
    assert infos["tensor_dict$rho_a"].dtype == tf.float32


_without_tensorflow_text = pytest.mark.skipif(
    find_spec("tensorflow_text") is not None, reason="tensorflow_text is installed"
)


@_without_tensorflow_text
@pytest.mark.parametrize("error", [tf.errors.NotFoundError, hub.HubModuleError])
def test_missing_ops_name_the_package_to_import(error: type[Exception]) -> None:
    call, _ = _recorded("tftext_segmenter")
    with tf.Graph().as_default(), pytest.raises(error, match="tensorflow_text"):
        hub.Module(_path("tftext_segmenter"))(call.inputs, as_dict=True)


@pytest.mark.skipif(find_spec("tensorflow_text") is None, reason="needs tensorflow_text")
def test_outputs_with_the_ops_of_tensorflow_text() -> None:
    import tensorflow_text  # noqa: F401

    call, recorded = _recorded("tftext_segmenter")
    outputs = observe.outputs(hub, tf, hub.load_module_spec(_path("tftext_segmenter")), call)
    assert values.differences(outputs, recorded) == {}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

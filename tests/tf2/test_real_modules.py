"""Modules that other people published, loaded as objects."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import UnregisteredOpsError
from hubmodule.tf2.convert import convert
from tests.golden import values
from tests.golden.real_modules import COSMIC_RIM, RECORDED, path, recorded, skipped_without
from tests.tf2.values import plain, tensors

pytestmark = skipped_without


@pytest.mark.parametrize(("name", "random"), RECORDED)
def test_outputs(name: str, random: set[str]) -> None:
    call, expected = recorded(name)
    outputs = hub.load(path(name)).apply(tensors(call.inputs))
    found = {key: plain(value) for key, value in outputs.items() if key not in random}
    assert values.differences(found, expected) == {}


@pytest.mark.parametrize(("name", "random"), RECORDED)
def test_signatures(name: str, random: set[str]) -> None:
    call, expected = recorded(name)
    inputs = {key: tf.constant(value) for key, value in call.inputs.items()}
    outputs = hub.load(path(name)).signatures["default"](**inputs)
    found = {key: plain(value) for key, value in outputs.items() if key not in random}
    assert values.differences(found, expected) == {}


# As many as graph mode has: see tests/golden/test_real_modules.py.
@pytest.mark.parametrize(
    ("name", "variables", "trainable", "losses"),
    [("half_plus_two_v1", 2, 2, 0), ("DM21", 28, 28, 12), (COSMIC_RIM, 32, 26, 0)],
)
def test_state(name: str, variables: int, trainable: int, losses: int) -> None:
    module = hub.load(path(name))
    found = [module.variables, module.trainable_variables, module.regularization_losses]
    assert [len(items) for items in found] == [variables, trainable, losses]


def test_losses_are_those_of_graph_mode() -> None:
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        hub.Module(path("DM21"), trainable=True)
        session.run(tf.compat.v1.global_variables_initializer())
        keys = tf.compat.v1.GraphKeys
        expected = session.run(graph.get_collection(keys.REGULARIZATION_LOSSES))
    found = [loss().numpy() for loss in hub.load(path("DM21")).regularization_losses]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("way", ["call", "signature", "converted"])
def test_gradients_are_those_of_graph_mode(way: str, tmp_path: Path) -> None:
    """The module has loops of TF1, and inputs that some gradients do not need."""
    inputs = recorded(COSMIC_RIM)[0].inputs
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        module = hub.Module(path(COSMIC_RIM), trainable=True)
        tensors_in = {key: tf.constant(value) for key, value in inputs.items()}
        total = tf.reduce_sum(module(tensors_in, as_dict=True)["loglikelihood"])
        trained = graph.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES)
        found = tf.gradients(total, [tensors_in["features"], *trained])
        session.run(tf.compat.v1.global_variables_initializer())
        by_features, *by_variables = session.run(found)
    expected = {
        variable.op.name.removeprefix("module/"): gradient
        for variable, gradient in zip(trained, by_variables, strict=True)
    }
    loaded = hub.load(path(COSMIC_RIM))
    if way == "converted":
        tf.saved_model.save(loaded, str(tmp_path))
        loaded = tf.saved_model.load(str(tmp_path))
    given = {key: tf.constant(value) for key, value in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(given["features"])
        call = loaded if way == "call" else loaded.signatures["default"]
        outputs = call(given, training=True) if way == "call" else call(**given)
        total = tf.reduce_sum(outputs["loglikelihood"])
    first, *rest = tape.gradient(total, [given["features"], *loaded.trainable_variables])
    np.testing.assert_allclose(first, by_features, rtol=1e-3, atol=1e-4)
    for variable, gradient in zip(loaded.trainable_variables, rest, strict=True):
        other = expected[variable.name.partition(":")[0]]
        np.testing.assert_allclose(gradient, other, rtol=1e-2, atol=1e-3)


def test_a_converted_module_keeps_the_names_of_its_inputs(tmp_path: Path) -> None:
    call, expected = recorded("DM21")
    arguments = convert(path("DM21"), str(tmp_path / "out"))["default"]
    assert arguments["tensor_dict$grid_coords"] == "tensor_dict_grid_coords"
    inputs = {arguments[key]: tf.constant(value) for key, value in call.inputs.items()}
    outputs = tf.saved_model.load(str(tmp_path / "out")).signatures["default"](**inputs)
    found = {key: plain(value) for key, value in outputs.items()}
    assert values.differences(found, expected) == {}


@pytest.mark.skipif(find_spec("tensorflow_text") is not None, reason="tensorflow_text is installed")
def test_missing_ops_name_the_package_to_import() -> None:
    with pytest.raises(UnregisteredOpsError, match="tensorflow_text"):
        hub.load(path("tftext_segmenter"))


@pytest.mark.skipif(find_spec("tensorflow_text") is None, reason="needs tensorflow_text")
def test_outputs_with_the_ops_of_tensorflow_text() -> None:
    import tensorflow_text  # noqa: F401

    call, expected = recorded("tftext_segmenter")
    outputs = hub.load(path("tftext_segmenter")).apply(tensors(call.inputs))
    found = {key: plain(value) for key, value in outputs.items()}
    assert values.differences(found, expected) == {}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

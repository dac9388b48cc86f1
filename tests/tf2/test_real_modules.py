"""Modules that other people published, loaded as objects."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import UnregisteredOpsError
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

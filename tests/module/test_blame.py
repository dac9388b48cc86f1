"""blame: whether an error is the module's or the caller's."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import ColocationError, ModuleFormatError
from hubmodule.module.blame import explain_failures
from hubmodule.module.spec import get_variant
from tests.module.graphs import affine


@pytest.fixture
def variant():
    return get_variant(hub.create_module_spec(affine))


def test_what_works_is_not_tried_again(variant):
    with explain_failures(variant, "used", pytest.fail):
        pass


def test_the_module_is_to_blame_for_what_fails_without_the_caller(variant):
    cause = ValueError("first")
    with (
        pytest.raises(ModuleFormatError) as caught,
        explain_failures(variant, "used", lambda: 1 / 0),
    ):
        raise cause
    assert caught.value.__cause__ is cause
    assert "Graph variant [] of the module cannot be used: division by zero" in str(caught.value)


def test_the_caller_is_to_blame_for_the_rest(variant):
    cause = RuntimeError("a device function of the caller")
    with pytest.raises(RuntimeError) as caught, explain_failures(variant, "used", lambda: None):
        raise cause
    assert caught.value is cause


def test_an_error_of_ours_says_it_all(variant):
    cause = ColocationError("inputs in different places")
    with pytest.raises(ColocationError) as caught, explain_failures(variant, "used", pytest.fail):
        raise cause
    assert caught.value is cause


def test_the_trial_has_a_graph_of_its_own(variant):
    graphs = []
    with (
        tf.Graph().as_default() as graph,
        pytest.raises(KeyError),
        explain_failures(variant, "used", lambda: graphs.append(tf.compat.v1.get_default_graph())),
    ):
        raise KeyError
    assert graphs != [graph]


def test_a_device_function_that_fails_is_the_callers():
    def device(operation):
        raise ValueError(f"no place for {operation.name}")

    with (
        tf.Graph().as_default(),
        tf.compat.v1.device(device),
        pytest.raises(ValueError, match="no place for") as caught,
    ):
        hub.Module(hub.create_module_spec(affine))
    assert not isinstance(caught.value, hub.HubModuleError)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

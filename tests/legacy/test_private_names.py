"""Names of TensorFlow's implementation that programs of TensorFlow 1 import."""

from __future__ import annotations

import importlib
import sys

import pytest
import tensorflow as tf

from hubmodule.legacy import private_names


@pytest.fixture
def modules():
    """The modules, which are afterwards as they were."""
    modules = {name: importlib.import_module(name) for name in private_names.MOVED}
    before = {name: dict(vars(module)) for name, module in modules.items()}
    yield modules
    for name, module in modules.items():
        for added in set(vars(module)) - set(before[name]):
            delattr(module, added)


def test_every_name_is_given_back(modules):
    private_names.restore_moved_names(tf.compat.v1)
    for module_name, names in private_names.MOVED.items():
        assert [name for name in names if not hasattr(modules[module_name], name)] == []
    graph_util = modules["tensorflow.python.framework.graph_util"]
    convert = tf.compat.v1.graph_util.convert_variables_to_constants
    assert graph_util.convert_variables_to_constants is convert


def test_names_that_are_there_stay(modules):
    ops = modules["tensorflow.python.ops.array_ops"]
    ops.stack = "there"
    private_names.restore_moved_names(tf.compat.v1)
    assert ops.stack == "there"


def test_moved_names_by_their_full_name():
    prefix = "tensorflow.python.framework.graph_util"
    assert private_names.is_moved(f"{prefix}.convert_variables_to_constants")
    assert not private_names.is_moved(f"{prefix}.extract_sub_graph")
    assert not private_names.is_moved(prefix)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

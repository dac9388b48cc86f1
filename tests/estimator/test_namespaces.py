"""Tests of hubmodule.estimator.namespaces."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import tensorflow as tf

from hubmodule.estimator import namespaces


@pytest.mark.parametrize(
    "name",
    [
        "tensorflow",
        "tensorflow.compat.v1",
        "tensorflow._api.v2.compat.v2",
        "tensorflow._api.v2.compat.v1.compat.v2",
    ],
)
def test_namespaces_are_found_by_name(monkeypatch, name):
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    assert module in namespaces.find_namespaces()


@pytest.mark.parametrize(
    ("name", "is_public"),
    [
        ("tensorflow", True),
        ("tensorflow.compat.v1", True),
        ("tensorflow._api.v2.compat.v1.nn", True),
        ("tensorflow.python.ops", False),
        ("tensorflow_estimator", False),
    ],
)
def test_modules_of_the_public_api_are_found_by_name(monkeypatch, name, is_public):
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    assert (module in namespaces.find_public_modules()) is is_public


@pytest.mark.parametrize(
    "name", ["tensorflow.python", "tensorflow.compat", "tensorflow.compat.v1.nn"]
)
def test_other_modules_are_none(monkeypatch, name):
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    assert module not in namespaces.find_namespaces()


def test_an_attribute_is_set_in_every_copy():
    v1, v2 = ModuleType("one"), ModuleType("two")
    try:
        namespaces.set_everywhere("hubmodule_test", v1=v1, v2=v2)
        import tensorflow.compat.v1 as imported_v1

        assert tf.compat.v1.hubmodule_test is imported_v1.hubmodule_test is v1
        assert tf.hubmodule_test is tf.compat.v2.hubmodule_test is v2
        assert tf.compat.v2.compat.v1.hubmodule_test is v1
    finally:
        for module in namespaces.find_namespaces():
            delattr(module, "hubmodule_test")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

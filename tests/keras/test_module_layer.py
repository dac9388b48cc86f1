"""Tests of what both KerasLayers have in common, with no Keras; layer_contract.py has the rest."""

from __future__ import annotations

import inspect
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from hubmodule.errors import BackendError, ModuleDefinitionError, NotSerializableError
from hubmodule.keras.module_layer import ModuleLayer


class Layer:
    """What Keras has."""

    def __init__(self, trainable: bool, **options: Any):
        self.trainable, self.options = trainable, options

    def get_config(self) -> dict[str, Any]:
        return {"name": "layer"}


class FakeLayer(ModuleLayer, Layer):
    """A KerasLayer of that Keras."""

    _keras = SimpleNamespace(
        backend=SimpleNamespace(backend=lambda: "tensorflow", floatx=lambda: "float64")
    )
    _is_autocast = True

    def _add_weights(self) -> None:
        self.taken = self._call.trainable_variables


def twice(x: Any) -> Any:
    return 2 * x


def test_arguments_have_the_order_of_old_programs() -> None:
    assert list(inspect.signature(FakeLayer).parameters) == [
        "handle",
        "trainable",
        "arguments",
        "_sentinel",
        "tags",
        "signature",
        "signature_outputs_as_dict",
        "output_key",
        "output_shape",
        "load_options",
        "kwargs",
    ]


def test_the_repr_says_what_it_is() -> None:
    layer = FakeLayer(twice, trainable=True)
    layer.name = "first"
    assert repr(layer) == f"<hub.KerasLayer 'first' of {twice!r}, trainable=True>"


def test_a_layer_of_what_is_called() -> None:
    layer = FakeLayer(twice, trainable=True, name="a")
    assert layer.resolved_object is twice
    assert (layer.trainable, layer.options) == (True, {"name": "a", "dtype": "float64"})
    assert (layer.taken, layer.built) == ([], True)


def test_most_arguments_have_names() -> None:
    with pytest.raises(ModuleDefinitionError, match="`tags` and what follows by name"):
        FakeLayer(twice, False, None, {"train"})


def test_another_backend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeLayer._keras.backend, "backend", lambda: "jax")
    with pytest.raises(BackendError, match=r"of Keras is 'jax'\. Set KERAS_BACKEND=tensorflow"):
        FakeLayer(twice)


def test_a_function_has_no_config() -> None:
    with pytest.raises(NotSerializableError):
        FakeLayer(twice).get_config()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The signatures of a module as tf.saved_model.load gives them: functions by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.format.signatures import TensorInfo
from hubmodule.module.variant import Variant
from hubmodule.tf2 import application, functions
from hubmodule.tf2.state import State


class Signatures(Mapping[str, Any]):
    """The signatures of a variant, each traced when it is first used."""

    def __init__(self, variant: Variant, state: State):
        self._variant = variant
        self._state = state
        self._functions: dict[str, Any] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._variant.signatures)

    def __len__(self) -> int:
        return len(self._variant.signatures)

    def __getitem__(self, name: str) -> Any:
        if name not in self._variant.signatures:
            raise KeyError(name)
        if name not in self._functions:
            function = functions.wrapped(self._variant, name, self._state)
            _tf.name_arguments(function, self._arguments(name))
            self._functions[name] = function
        return self._functions[name]

    def _arguments(self, signature: str) -> dict[str, tf.TensorSpec]:
        """What each tensor is that is passed, by its name."""
        infos = self._variant.signature(signature).inputs
        names = [name for key, info in infos.items() for name in _part_names(key, info)]
        parts = tf.nest.flatten(
            application.input_specs(self._variant, signature), expand_composites=True
        )
        return {
            name: tf.TensorSpec(part.shape, part.dtype, name)
            for name, part in zip(names, parts, strict=True)
        }


def _part_names(key: str, info: TensorInfo) -> list[str]:
    """The names of the tensors of an input, as TensorFlow's loader of TF1 SavedModels has them."""
    if info.is_sparse:
        return [f"{key}_{part}" for part in ("indices", "values", "dense_shape")]
    if info.is_composite:
        return [f"{key}_component_{index}" for index in range(len(info.tensor_names))]
    return [key]

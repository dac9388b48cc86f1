"""The signatures of a module as tf.saved_model.load gives them: functions by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.format.signatures import TensorInfo
from hubmodule.module.variant import Variant
from hubmodule.tf2 import application, signature_function
from hubmodule.tf2.argument_names import choose_arguments, choose_key
from hubmodule.tf2.state import State


@dataclass(frozen=True)
class SavedInput:
    """An input of a signature, as a SavedModel has it.

    Attributes:
        name: The author's name.
        key: Its key in the signature_def that tf.saved_model.save writes.
        argument: The Python argument of the function that tf.saved_model.load gives.
    """

    name: str
    key: str
    argument: str


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
            function = signature_function.wrap_signature(self._variant, name, self._state)
            _tf.name_arguments(function, self._arguments(name))
            self._functions[name] = function
        return self._functions[name]

    def inputs_to_save(self, name: str) -> list[SavedInput]:
        """Says what a SavedModel calls the inputs of a signature, in the order of the function."""
        names = list(self._arguments(name))
        arguments = choose_arguments(names)
        return [SavedInput(n, choose_key(n, arguments[n]), arguments[n]) for n in names]

    def function_to_save(self, name: str) -> Any:
        """Traces a signature as a function that tf.saved_model.save can write."""
        inputs = self.inputs_to_save(name)
        variant, state = self._variant, self._state

        def apply(**tensors: tf.Tensor) -> dict[str, Any]:
            flat = [tensors[each.argument] for each in inputs]
            return signature_function.apply_signature(variant, name, state, False, flat)

        specs = zip(inputs, self._arguments(name).values(), strict=True)
        return tf.function(apply, autograph=False).get_concrete_function(
            **{i.argument: tf.TensorSpec(spec.shape, spec.dtype, i.key) for i, spec in specs}
        )

    def _arguments(self, signature: str) -> dict[str, tf.TensorSpec]:
        """What each tensor is that is passed, by its name."""
        infos = self._variant.signature(signature).inputs
        names: list[str] = []
        for key, info in infos.items():
            for name in _part_names(key, info):
                # A part must not have the name of another input: "x_values" of a sparse "x".
                while name in names or (name != key and name in infos):
                    name += "_"
                names.append(name)
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

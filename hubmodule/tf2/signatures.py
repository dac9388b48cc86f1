"""The signatures of a module as tf.saved_model.load gives them: functions by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hubmodule import _tf
from hubmodule.module.variant import Variant
from hubmodule.tf2 import application
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
            function = application.wrapped(self._variant, name, self._state, updates=False)
            _tf.name_arguments(function, self._argument_names(name))
            self._functions[name] = function
        return self._functions[name]

    def _argument_names(self, signature: str) -> list[str]:
        """One for each tensor: as TensorFlow names the parts of composite inputs."""
        return [
            key if index == 0 else f"{key}_{index}"
            for key, info in self._variant.signature(signature).inputs.items()
            for index in range(len(info.tensor_names))
        ]

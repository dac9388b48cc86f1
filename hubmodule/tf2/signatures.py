"""The signatures of a module as functions by name, as tf.saved_model.load returns them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.format.signatures import TensorInfo
from hubmodule.module.variant import Variant
from hubmodule.tf2.application import Application
from hubmodule.tf2.argument_names import choose_arguments, choose_key
from hubmodule.tf2.signature_function import apply_signature, wrap_signature
from hubmodule.tf2.state import ModuleState


@dataclass(frozen=True)
class SavedInput:
    """An input of a signature in a SavedModel.

    Attributes:
        name: The author's name.
        key: Its key in the signature_def that tf.saved_model.save writes.
        argument: Its argument of the Python function that tf.saved_model.load returns.
    """

    name: str
    key: str
    argument: str


class Signatures(Mapping[str, Any]):
    """The signatures of a graph variant, each traced when it is first used.

    Args:
        variant: The graph variant.
        state: The variables, tables and assets of the module, with all those of the graph
            variant.
    """

    def __init__(self, variant: Variant, state: ModuleState):
        self._variant = variant
        self._state = state
        self._functions: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<signatures {list(self)} of a module>"

    def __iter__(self) -> Iterator[str]:
        return iter(self._variant.signatures)

    def __len__(self) -> int:
        return len(self._variant.signatures)

    def __getitem__(self, name: str) -> Any:
        if name not in self._variant.signatures:
            raise KeyError(name)
        if name not in self._functions:
            function = wrap_signature(self._make_application(name))
            _tf.name_arguments(function, self._name_tensors(name))
            self._functions[name] = function
        return self._functions[name]

    def list_saved_inputs(self, name: str) -> list[SavedInput]:
        """Lists the names of the inputs of a signature in a SavedModel.

        Args:
            name: The name of the signature.

        Returns:
            The inputs in the order of the function that trace_for_saving() returns.
        """
        names = list(self._name_tensors(name))
        arguments = choose_arguments(names)
        return [SavedInput(n, choose_key(n, arguments[n]), arguments[n]) for n in names]

    def trace_for_saving(self, name: str) -> Any:
        """Traces a signature as a function that tf.saved_model.save can write.

        Args:
            name: The name of the signature.

        Returns:
            A ConcreteFunction from tensors by name to the dict of the outputs.
        """
        application, inputs = self._make_application(name), self.list_saved_inputs(name)

        def apply(**tensors: tf.Tensor) -> dict[str, Any]:
            return apply_signature(application, [tensors[each.argument] for each in inputs])

        specs = {
            each.argument: tf.TensorSpec(spec.shape, spec.dtype, each.key)
            for each, spec in zip(inputs, application.tensor_specs, strict=True)
        }
        return tf.function(apply, autograph=False).get_concrete_function(**specs)

    def _make_application(self, name: str) -> Application:
        return Application(self._variant, name, self._state)

    def _name_tensors(self, name: str) -> dict[str, tf.TensorSpec]:
        """Gives a name to each tensor of the inputs of a signature; a sparse input has three.

        Returns:
            The types of the tensors by name, in the order of tf.nest.
        """
        infos = self._variant.get_signature(name).inputs
        names: list[str] = []
        for key, info in infos.items():
            for candidate in _list_tensor_names(key, info):
                # The tensor "x_values" of a sparse input "x" may have the name of another input.
                while candidate in names or (candidate != key and candidate in infos):
                    candidate += "_"
                names.append(candidate)
        specs = self._make_application(name).tensor_specs
        return {
            name: tf.TensorSpec(spec.shape, spec.dtype, name)
            for name, spec in zip(names, specs, strict=True)
        }


def _list_tensor_names(key: str, info: TensorInfo) -> list[str]:
    """Lists the names of an input's tensors in TensorFlow's own loader of TF1 SavedModels."""
    if info.is_sparse:
        return [f"{key}_{part}" for part in ("indices", "values", "dense_shape")]
    if info.is_composite:
        return [f"{key}_component_{index}" for index in range(len(info.tensor_names))]
    return [key]

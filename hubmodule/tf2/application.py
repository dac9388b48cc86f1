"""A signature that is applied in a function, with state outside of the function.

A function is a graph, so the code of graph mode adds the ops; only the state is another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.module.apply_graph import add_application
from hubmodule.module.variant import Variant
from hubmodule.surgery import collections
from hubmodule.tf2.state import ModuleState


@dataclass(frozen=True)
class Application:
    """A signature of a graph variant, and the state with which it is applied.

    Attributes:
        variant: The graph variant.
        signature: The name of the signature.
        state: The variables, tables and assets of the module.
        runs_updates: Whether the outputs wait for the update ops of the variant.
        is_watched: Whether gradient tapes watch the variables that the ops read.
    """

    variant: Variant
    signature: str
    state: ModuleState
    runs_updates: bool = False
    is_watched: bool = True

    @property
    def input_specs(self) -> dict[str, tf.TypeSpec]:
        """The type of each input by name."""
        inputs = self.variant.get_signature(self.signature).inputs
        return {name: info.type_spec for name, info in inputs.items()}

    @property
    def output_specs(self) -> dict[str, tf.TypeSpec]:
        """The type of each output by name."""
        outputs = self.variant.get_signature(self.signature).outputs
        return {name: info.type_spec for name, info in outputs.items()}

    @property
    def tensor_specs(self) -> list[tf.TensorSpec]:
        """The types of the tensors of the inputs, in the order of tf.nest."""
        return tf.nest.flatten(self.input_specs, expand_composites=True)

    def add_ops(self, *tensors: tf.Tensor) -> dict[str, Any]:
        """Adds the ops of the signature to the default graph, which is that of a wrapped function.

        A wrapped function runs like a graph of TF1: only the control inputs of the module order
        its ops, and ops that no output needs do not run.

        Args:
            *tensors: The tensors of the inputs, of the types in `tensor_specs`.

        Returns:
            The outputs by name.
        """
        graph = tf.compat.v1.get_default_graph()
        inputs = tf.nest.pack_sequence_as(self.input_specs, list(tensors), expand_composites=True)
        state = _CapturedState(graph, self.state, self.is_watched)
        outputs = add_application(
            self.variant, state, "module", self.signature, inputs, self.runs_updates
        )
        _tf.set_loop_handle_data(graph)
        with tf.control_dependencies(graph.get_collection(collections.UPDATE_OPS)):
            return tf.nest.map_structure(tf.identity, outputs, expand_composites=True)


@dataclass(frozen=True)
class _CapturedState:
    """The state of a module with the interface of graph mode; the function's graph captures it.

    Attributes:
        graph: The graph of the function.
        state: The variables, tables and assets of the module.
        is_watched: Whether gradient tapes watch the variables.
    """

    graph: tf.Graph
    state: ModuleState
    is_watched: bool

    def get_tensor(self, name: str) -> tf.Tensor:
        """Returns the tensor that replaces a tensor of the module."""
        with self.graph.as_default():
            return self.state.capture(name, self.is_watched)

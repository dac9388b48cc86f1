"""Functions that apply a module: each is one signature of one graph variant over its state.

An application in a function is an application in a graph, so it is built by graph mode's
own code; only the state comes from outside of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from hubmodule.module.apply_graph import add_application
from hubmodule.module.variant import Variant
from hubmodule.surgery import collections
from hubmodule.tf2.state import State


@dataclass(frozen=True)
class _CapturedState:
    """The state of a module, as ops of one function graph use it."""

    graph: tf.Graph
    state: State

    def tensor(self, name: str) -> tf.Tensor:
        """The tensor that stands for one of the module."""
        with self.graph.as_default():
            return self.state.captured(name)


def input_specs(variant: Variant, signature: str) -> dict[str, tf.TypeSpec]:
    """What each input of a signature is."""
    return {name: info.type_spec for name, info in variant.signature(signature).inputs.items()}


def wrapped(variant: Variant, signature: str, state: State, updates: bool) -> Any:
    """A wrapped function of the flat inputs of a signature; gives the dict of its outputs.

    It is one graph as TF1 runs it: nothing is ordered but what the module orders, and
    what the outputs do not need does not run.

    Args:
        variant: of the module.
        signature: its name.
        state: of the module, with all that the variant needs.
        updates: whether the outputs wait for the update ops.
    """
    specs = input_specs(variant, signature)

    def apply(*flat: tf.Tensor) -> dict[str, Any]:
        graph = tf.compat.v1.get_default_graph()
        inputs = tf.nest.pack_sequence_as(specs, list(flat), expand_composites=True)
        outputs = add_application(
            variant, _CapturedState(graph, state), "module", signature, inputs, updates
        )
        done = graph.get_collection(collections.UPDATE_OPS)
        with tf.control_dependencies(done):
            return tf.nest.map_structure(tf.identity, outputs, expand_composites=True)

    return tf.compat.v1.wrap_function(apply, tf.nest.flatten(specs, expand_composites=True))


def function(
    variant: Variant, signature: str, state: State, updates: bool
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A tf.function from the dict of inputs of a signature to the dict of its outputs.

    It is traced when it is needed, and for each replica of a distribution strategy.
    """
    specs = input_specs(variant, signature)
    flat_specs = tf.nest.flatten(specs, expand_composites=True)

    @tf.function(autograph=False, input_signature=[flat_specs])
    def apply(flat: Sequence[tf.Tensor]) -> dict[str, Any]:
        state.add(variant)
        return wrapped(variant, signature, state, updates)(*flat)

    def call(inputs: dict[str, Any]) -> dict[str, Any]:
        return apply(tf.nest.flatten(inputs, expand_composites=True))

    return call

"""Functions that apply a module: each is one signature of one graph variant over its state.

An application in a function is an application in a graph, so it is built by graph mode's
own code; only the state comes from outside of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.module.apply_graph import add_application
from hubmodule.module.variant import Variant
from hubmodule.surgery import collections
from hubmodule.tf2.state import State


@dataclass(frozen=True)
class _CapturedState:
    """The state of a module, as ops of one function graph use it."""

    graph: tf.Graph
    state: State
    watched: bool = True

    def tensor(self, name: str) -> tf.Tensor:
        """The tensor that stands for one of the module."""
        with self.graph.as_default():
            return self.state.captured(name, self.watched)


def input_specs(variant: Variant, signature: str) -> dict[str, tf.TypeSpec]:
    """What each input of a signature is."""
    return {name: info.type_spec for name, info in variant.signature(signature).inputs.items()}


def wrapped(
    variant: Variant, signature: str, state: State, updates: bool, watched: bool = True
) -> Any:
    """A wrapped function of the flat inputs of a signature; gives the dict of its outputs.

    It is one graph as TF1 runs it: nothing is ordered but what the module orders, and
    what the outputs do not need does not run.

    Args:
        variant: of the module.
        signature: its name.
        state: of the module, with all that the variant needs.
        updates: whether the outputs wait for the update ops.
        watched: whether tapes get to know of the variables that it reads.
    """
    specs = input_specs(variant, signature)

    def apply(*flat: tf.Tensor) -> dict[str, Any]:
        graph = tf.compat.v1.get_default_graph()
        inputs = tf.nest.pack_sequence_as(specs, list(flat), expand_composites=True)
        outputs = add_application(
            variant, _CapturedState(graph, state, watched), "module", signature, inputs, updates
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
        if has_v1_control_flow(variant, signature, updates):
            return _differentiable(variant, signature, state, updates, flat)
        return wrapped(variant, signature, state, updates)(*flat)

    def call(inputs: dict[str, Any]) -> dict[str, Any]:
        return apply(tf.nest.flatten(inputs, expand_composites=True))

    return call


_V1_CONTROL_FLOW = frozenset({"Enter", "Merge", "Switch"})


def has_v1_control_flow(variant: Variant, signature: str, updates: bool) -> bool:
    """Whether a signature needs loops or conditionals of TF1's kind."""
    graph_def = variant.application_template(signature, updates).graph_def
    return any(node.op in _V1_CONTROL_FLOW for node in graph_def.node)


def _differentiable(
    variant: Variant, signature: str, state: State, updates: bool, flat: Sequence[tf.Tensor]
) -> dict[str, Any]:
    """Applies a signature whose gradient TensorFlow cannot take on its own.

    The gradient of a function is another function, to which the first passes what it
    computed; that is not possible from within a v1 loop, nor from a branch that was not
    taken. So the other function computes the outputs again: what is random, anew.
    """
    variables = [variable for variable in state.variables.values() if variable.trainable]
    forward = wrapped(variant, signature, state, updates, watched=False)
    structure = forward.structured_outputs

    @tf.custom_gradient
    def apply(*arguments: tf.Tensor) -> Any:
        # The values only carry gradients; the function reads the variables themselves.
        inputs = arguments[: len(flat)]
        outputs = tf.nest.flatten(forward(*inputs), expand_composites=True)

        def gradient(*upstream: tf.Tensor) -> list[tf.Tensor | None]:
            wanted = [d for d, y in zip(upstream, outputs, strict=True) if _has_gradient(y)]
            backward = _backward(variant, signature, state, variables)
            computed = iter(backward(*inputs, *wanted))
            return [next(computed) if _has_gradient(x) else None for x in arguments]

        return outputs, gradient

    outputs = apply(*flat, *(variable.read_value() for variable in variables))
    outputs = tf.nest.flatten(outputs)
    return tf.nest.pack_sequence_as(structure, outputs, expand_composites=True)


def _backward(
    variant: Variant, signature: str, state: State, variables: Sequence[tf.Variable]
) -> Any:
    """A wrapped function from inputs and upstream gradients to gradients.

    Those are of the inputs that can have one, and of the variables.
    """
    specs = input_specs(variant, signature)
    flat_specs = tf.nest.flatten(specs, expand_composites=True)
    outputs = [info.type_spec for info in variant.signature(signature).outputs.values()]
    flat_outputs = tf.nest.flatten(outputs, expand_composites=True)
    upstream_specs = [tf.TensorSpec(y.shape, y.dtype) for y in flat_outputs if _has_gradient(y)]

    def differentiate(*arguments: tf.Tensor) -> list[tf.Tensor]:
        graph = tf.compat.v1.get_default_graph()
        flat, upstream = arguments[: len(flat_specs)], arguments[len(flat_specs) :]
        inputs = tf.nest.pack_sequence_as(specs, list(flat), expand_composites=True)
        captured = _CapturedState(graph, state, watched=False)
        results = add_application(variant, captured, "module", signature, inputs, False)
        targets = tf.nest.flatten(results, expand_composites=True)
        targets = [target for target in targets if _has_gradient(target)]
        values = [value for value in flat if _has_gradient(value)]
        handles = [state.captured_handle(variable) for variable in variables]
        with _tf.v1_gradients(graph):
            gradients = tf.gradients(targets, [*values, *handles], list(upstream))
        return [
            tf.zeros_like(source) if gradient is None else tf.convert_to_tensor(gradient)
            for gradient, source in zip(
                gradients, [*values, *(v.read_value() for v in variables)], strict=True
            )
        ]

    return tf.compat.v1.wrap_function(differentiate, [*flat_specs, *upstream_specs])


def _has_gradient(value: tf.Tensor | tf.TensorSpec) -> bool:
    return value.dtype.is_floating or value.dtype.is_complex

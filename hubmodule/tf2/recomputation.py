"""Applies signatures with TF1 control flow, whose gradient TensorFlow cannot compute by itself.

TensorFlow computes a gradient in a second function, which gets values that the first function has
computed. It cannot get values within a TF1 loop, or of a branch that did not run. So the second
function here computes the outputs again: from the same inputs, from the random numbers that the
first function drew, and from the values that the variables have then.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.module.variant import Variant
from hubmodule.surgery.names import get_op_name
from hubmodule.surgery.random_draws import (
    add_draw_signatures,
    is_draw,
    name_drawing_signature,
    name_drawn_signature,
)
from hubmodule.tf2 import gradient_graph
from hubmodule.tf2.application import Application
from hubmodule.tf2.gradient_graph import flatten, has_gradient
from hubmodule.tf2.state import ModuleState

_TF1_CONTROL_FLOW = frozenset({"Enter", "Merge", "Switch"})

# Takes the gradients by the outputs, and returns those by the arguments; see tf.custom_gradient.
_Differentiate = Callable[..., "list[tf.Tensor | None]"]


def is_needed(application: Application) -> bool:
    """Whether a signature needs loops or conditionals of TF1."""
    template = application.variant.get_application_template(
        application.signature, application.runs_updates
    )
    return any(node.op in _TF1_CONTROL_FLOW for node in template.graph_def.node)


def apply_signature(application: Application, tensors: Sequence[tf.Tensor]) -> dict[str, Any]:
    """Applies a signature in the function under construction, with a gradient.

    Args:
        application: The signature, and the state with all variables and tables that it needs.
        tensors: The tensors of the inputs, of the types in `application.tensor_specs`.

    Returns:
        The outputs by name.
    """
    recomputation = _Recomputation(application)
    # The values only carry gradients to the variables; the ops read the variables themselves.
    read = [variable.read_value() for variable in recomputation.variables.values()]
    outputs = tf.custom_gradient(recomputation.compute)(*tensors, *read)
    return tf.nest.pack_sequence_as(
        application.output_specs, tf.nest.flatten(outputs), expand_composites=True
    )


class _Recomputation:
    """A signature that is computed once for its outputs, and again for its gradient.

    Args:
        application: The signature and the state.

    Attributes:
        variables: The trainable variables that the signature reads, by op.
    """

    def __init__(self, application: Application):
        self._application = application
        self._variant = _add_draws(application.variant, application.signature)
        template = self._variant.get_application_template(application.signature, False)
        self._state = _capture_state(self._variant, application.state, template.subgraph.tensors)
        self.variables = {
            op: variable
            for op, variable in application.state.variables.items()
            if variable.trainable and f"{op}:0" in self._state
        }
        forward = dataclasses.replace(
            application,
            variant=self._variant,
            signature=name_drawing_signature(application.signature),
            is_watched=False,
        )
        self._forward = tf.compat.v1.wrap_function(forward.add_ops, forward.tensor_specs)

    def compute(self, *arguments: tf.Tensor) -> tuple[list[tf.Tensor], _Differentiate]:
        """Computes the outputs, as tf.custom_gradient requires.

        Args:
            *arguments: The tensors of the inputs, then the value of each variable.

        Returns:
            The tensors of the outputs, and a function from their gradients to the gradients of
            the arguments.
        """
        inputs = arguments[: len(arguments) - len(self.variables)]
        results = self._forward(*inputs)
        draws = {name: value for name, value in results.items() if is_draw(name)}
        outputs = flatten({name: results[name] for name in results.keys() - draws.keys()})

        def differentiate(*upstream: tf.Tensor) -> list[tf.Tensor | None]:
            given = [g for g, y in zip(upstream, outputs, strict=True) if has_gradient(y)]
            gradients = iter(self._compute_gradients(inputs, draws, given))
            return [next(gradients) if has_gradient(x) else None for x in arguments]

        return outputs, differentiate

    def _compute_gradients(
        self,
        inputs: Sequence[tf.Tensor],
        draws: Mapping[str, tf.Tensor],
        upstream: Sequence[tf.Tensor],
    ) -> Sequence[tf.Tensor]:
        """Computes the outputs again, and their gradients.

        Args:
            inputs: The tensors of the inputs.
            draws: The random numbers that were drawn, by name.
            upstream: The gradient by each tensor of the outputs that has gradients.

        Returns:
            The gradient by each tensor of the inputs that has gradients, and by each variable.
        """
        signature = self._application.signature
        backward = gradient_graph.build(
            self._variant, name_drawn_signature(signature), list(self.variables)
        )
        state = self._state
        if _tf.is_saving():
            # A SavedModel finds state only by the objects that hold it.
            state = _capture_state(self._variant, self._application.state, backward.state)
        named = tf.nest.pack_sequence_as(
            self._application.input_specs, list(inputs), expand_composites=True
        )
        return backward.run([*flatten(named | draws), *upstream], state)


def _add_draws(variant: Variant, signature: str) -> Variant:
    """Adds signatures that return and take the random numbers drawn outside of control flow."""
    contexts = variant.index.contexts
    ops = gradient_graph.find_random_ops(variant, signature)
    outside = [op for op in ops if not contexts.find_companions(op)]
    meta_graph = add_draw_signatures(variant.meta_graph, signature, outside)
    return Variant(variant.tags, meta_graph, variant.origin)


def _capture_state(
    variant: Variant, state: ModuleState, tensors: Collection[str]
) -> dict[str, tf.Tensor]:
    """Captures the state among some tensors, in the function under construction.

    A gradient within a loop or conditional can use captured state, but cannot capture it.
    """
    names = sorted(name for name in tensors if get_op_name(name) in variant.state_ops)
    return {name: state.capture(name, watched=False) for name in names}

"""Functions that are called with tensors, and that gradient tapes follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hubmodule.module.variant import Variant
from hubmodule.tf2 import application, recomputation
from hubmodule.tf2.state import State


def function(
    variant: Variant, signature: str, state: State, updates: bool
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A tf.function from the dict of inputs of a signature to the dict of its outputs.

    It is traced when it is needed, and for each replica of a distribution strategy.
    """
    specs = application.input_specs(variant, signature)
    flat_specs = tf.nest.flatten(specs, expand_composites=True)

    @tf.function(autograph=False, input_signature=[flat_specs])
    def apply(flat: Sequence[tf.Tensor]) -> dict[str, Any]:
        state.add(variant)
        if recomputation.is_needed(variant, signature, updates):
            return recomputation.differentiable(variant, signature, state, updates, flat)
        return application.wrapped(variant, signature, state, updates)(*flat)

    def call(inputs: dict[str, Any]) -> dict[str, Any]:
        return apply(tf.nest.flatten(inputs, expand_composites=True))

    return call

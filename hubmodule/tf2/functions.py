"""Functions that are called with tensors, and that gradient tapes follow."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hubmodule.module.variant import Variant
from hubmodule.tf2 import application, recomputation
from hubmodule.tf2.state import State


def applied(
    variant: Variant, signature: str, state: State, updates: bool, flat: Sequence[tf.Tensor]
) -> dict[str, Any]:
    """Adds an application, which gradient tapes follow, to the function under construction.

    Args:
        variant: of the module.
        signature: its name.
        state: of the module; gets what the variant needs.
        updates: whether the outputs wait for the update ops.
        flat: the inputs of the signature, as tf.nest flattens the dict of them.

    Returns:
        The outputs by name.
    """
    state.add(variant)
    if recomputation.is_needed(variant, signature, updates):
        return recomputation.differentiable(variant, signature, state, updates, flat)
    return application.wrapped(variant, signature, state, updates)(*flat)


def wrapped(variant: Variant, signature: str, state: State) -> Any:
    """A wrapped function of the flat inputs of a signature, which gradient tapes follow.

    Arguments are those of `applied`; its outputs do not wait for update ops.
    """
    if not recomputation.is_needed(variant, signature, False):
        return application.wrapped(variant, signature, state, False)
    specs = tf.nest.flatten(application.input_specs(variant, signature), expand_composites=True)
    return tf.compat.v1.wrap_function(
        lambda *flat: recomputation.differentiable(variant, signature, state, False, flat), specs
    )


def function(
    variant: Variant, signature: str, state: State, updates: bool
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A function from the dict of inputs of a signature to the dict of its outputs.

    It is traced when it is needed, and for each replica of a distribution strategy.
    """
    specs = tf.nest.flatten(application.input_specs(variant, signature), expand_composites=True)
    apply = traced(applied, variant, signature, state, updates, input_signature=[specs])

    def call(inputs: dict[str, Any]) -> dict[str, Any]:
        return apply(tf.nest.flatten(inputs, expand_composites=True))

    return call


def traced(python_function: Callable[..., Any], *arguments: Any, input_signature: Any) -> Any:
    """A tf.function of a Python function whose first arguments are given.

    To TensorFlow, functions of one code are one, and it warns if that is traced often;
    a functools.partial is on its own.
    """
    partial = functools.partial(python_function, *arguments)
    return tf.function(partial, input_signature=input_signature, autograph=False)

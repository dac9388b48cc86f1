"""A signature of a module as a function of tensors, which gradient tapes follow."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hubmodule.module import values
from hubmodule.module.variant import Variant
from hubmodule.tf2 import application, recomputation
from hubmodule.tf2.state import State


class SignatureFunction:
    """A signature that is called with its inputs by name and returns the dict of its outputs.

    It is traced when it is first called, and once for each replica of a distribution strategy.

    Args:
        variant: The graph variant that the signature belongs to.
        name: The name of the signature.
        state: The variables, tables and assets of the module; gets what the variant needs.
        updates: Whether the outputs wait for the update ops.

    Raises:
        NoSuchSignatureError: If the variant has no such signature.
    """

    def __init__(self, variant: Variant, name: str, state: State, updates: bool):
        self._name = name
        self._inputs = variant.signature(name).inputs
        specs = tf.nest.flatten(application.input_specs(variant, name), expand_composites=True)
        self._function = make_function(
            apply_signature, variant, name, state, updates, input_signature=[specs]
        )

    def __call__(self, inputs: Any) -> dict[str, Any]:
        """Applies the signature.

        Args:
            inputs: The only input, or a dict of all inputs by name; None for no input.

        Raises:
            SignatureMismatchError: If the inputs do not fit.
        """
        given = values.by_name(self._inputs, inputs, self._name)
        tensors = values.converted(self._inputs, given)
        return self._function(tf.nest.flatten(tensors, expand_composites=True))


def apply_signature(
    variant: Variant, signature: str, state: State, updates: bool, flat: Sequence[tf.Tensor]
) -> dict[str, Any]:
    """Adds an application of a signature to the function under construction.

    Args:
        variant: The graph variant that the signature belongs to.
        signature: The name of the signature.
        state: The variables, tables and assets of the module; gets what the variant needs.
        updates: Whether the outputs wait for the update ops.
        flat: The inputs of the signature, as tf.nest flattens the dict of them.

    Returns:
        The outputs by name.
    """
    state.add(variant)
    if recomputation.is_needed(variant, signature, updates):
        return recomputation.differentiable(variant, signature, state, updates, flat)
    return application.wrapped(variant, signature, state, updates)(*flat)


def wrap_signature(variant: Variant, signature: str, state: State) -> Any:
    """Makes a wrapped function of the flat inputs of a signature.

    Args:
        variant: The graph variant that the signature belongs to.
        signature: The name of the signature.
        state: The variables, tables and assets of the module, with all that the variant needs.

    Returns:
        What tf.compat.v1.wrap_function gives; it does not run update ops.
    """
    if not recomputation.is_needed(variant, signature, False):
        return application.wrapped(variant, signature, state, False)
    specs = tf.nest.flatten(application.input_specs(variant, signature), expand_composites=True)
    return tf.compat.v1.wrap_function(
        lambda *flat: recomputation.differentiable(variant, signature, state, False, flat), specs
    )


def make_function(
    python_function: Callable[..., Any], *arguments: Any, input_signature: Any
) -> Any:
    """Makes a tf.function of a Python function whose first arguments are given.

    To TensorFlow, functions with the same code are one function, and it warns if that is
    traced often; each functools.partial is a function of its own.
    """
    partial = functools.partial(python_function, *arguments)
    return tf.function(partial, input_signature=input_signature, autograph=False)

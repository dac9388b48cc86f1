"""Checks constants, because a damaged one crashes TensorFlow or makes it hang."""

from __future__ import annotations

import math

import tensorflow as tf

from hubmodule.errors import ModuleFormatError

# More than the memory of any machine; TensorFlow retries the allocation for half a minute.
_MOST_ELEMENTS = 2**40
# A shape of fewer bytes cannot have so many elements.
_BYTES_OF_A_LARGE_SHAPE = 9


def check_constant(node: tf.compat.v1.NodeDef) -> None:
    """Checks the dtype and the size of a constant.

    TensorFlow reads the value with the dtype of the op, and aborts if the value has another.

    Raises:
        ModuleFormatError: If the value has another dtype than the op, or is too large.
    """
    value, dtype = node.attr["value"].tensor, node.attr["dtype"].type
    if value.dtype != dtype:
        raise ModuleFormatError(
            f"Constant '{node.name}' has a value of type {_name_dtype(value.dtype)}, but is "
            f"declared as {_name_dtype(dtype)}. Fetch the module again."
        )
    if value.tensor_shape.ByteSize() >= _BYTES_OF_A_LARGE_SHAPE:
        sizes = [dimension.size for dimension in value.tensor_shape.dim]
        if math.prod(sizes) >= _MOST_ELEMENTS:
            raise ModuleFormatError(
                f"Constant '{node.name}' has the shape {sizes}, which is larger than any memory. "
                "Fetch the module again."
            )


def _name_dtype(dtype: int) -> str:
    try:
        return tf.as_dtype(dtype).name
    except TypeError:
        return str(dtype)

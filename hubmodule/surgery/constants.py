"""Checks the constants that would end the process, or stop it, within TensorFlow."""

from __future__ import annotations

import math

import tensorflow as tf

from hubmodule.errors import ModuleFormatError

# No machine holds as many; TensorFlow asks for the memory again and again, for half a minute.
_MOST_ELEMENTS = 2**40
# No shape in fewer bytes has as many.
_BYTES_OF_A_LARGE_SHAPE = 9


def check_constant(node: tf.compat.v1.NodeDef) -> None:
    """Checks the type and the size of a constant.

    TensorFlow takes what the op gives for what the value is: if the two are of different
    types, it ends with an abort.

    Raises:
        ModuleFormatError: if the value is of another type than the op gives, or too large.
    """
    value, dtype = node.attr["value"].tensor, node.attr["dtype"].type
    if value.dtype != dtype:
        raise ModuleFormatError(
            f"Constant '{node.name}' has a value of type {_name(value.dtype)}, but is declared as "
            f"{_name(dtype)}. Fetch the module again."
        )
    if value.tensor_shape.ByteSize() >= _BYTES_OF_A_LARGE_SHAPE:
        sizes = [dimension.size for dimension in value.tensor_shape.dim]
        if math.prod(sizes) >= _MOST_ELEMENTS:
            raise ModuleFormatError(
                f"Constant '{node.name}' has the shape {sizes}, which no memory holds. Fetch the "
                "module again."
            )


def _name(dtype: int) -> str:
    try:
        return tf.as_dtype(dtype).name
    except TypeError:
        return str(dtype)

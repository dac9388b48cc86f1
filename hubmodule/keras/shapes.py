"""The shapes that a program gives for the outputs of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from hubmodule.errors import ModuleDefinitionError, SignatureMismatchError


def parse(shape: Any) -> Any:
    """Converts shapes without the dimension of the batch to tf.TensorShape.

    Args:
        shape: A shape, e.g. [3], or a dict or list of shapes; None leaves a shape open.

    Returns:
        A tf.TensorShape, or a dict or list of them; None for None.

    Raises:
        ModuleDefinitionError: If `shape` is something else.
    """
    if shape is None:
        return None
    if isinstance(shape, Mapping):
        return {key: parse(value) for key, value in shape.items()}
    if isinstance(shape, (list, tuple)) and any(_is_nested(value) for value in shape):
        return [parse(value) for value in shape]
    try:
        return tf.TensorShape(shape)
    except (TypeError, ValueError) as error:
        raise ModuleDefinitionError(
            f"KerasLayer has output_shape={shape!r}, which is not a shape, a list of integers and "
            f"None: {error}"
        ) from error


def convert_to_lists(shape: Any) -> Any:
    """Converts the result of parse() to lists of integers and None, which JSON can hold."""
    if isinstance(shape, tf.TensorShape):
        return None if shape.rank is None else shape.as_list()
    if isinstance(shape, Mapping):
        return {key: convert_to_lists(value) for key, value in shape.items()}
    return shape if shape is None else [convert_to_lists(value) for value in shape]


def convert_to_tuples(shape: Any) -> Any:
    """Converts nested shapes, each a tf.TensorShape, to tuples; an unknown rank to None."""
    if isinstance(shape, Mapping):
        return {key: convert_to_tuples(value) for key, value in shape.items()}
    if isinstance(shape, (list, tuple)):
        return [convert_to_tuples(value) for value in shape]
    return None if shape.rank is None else tuple(shape.as_list())


def ensure_shape(outputs: Any, shape: Any) -> Any:
    """Gives outputs their static shapes.

    Args:
        outputs: A tensor, or a dict, list or tuple of outputs.
        shape: The shape of each without the batch, from parse().

    Returns:
        The outputs, with static shapes, which TensorFlow checks when the program runs.

    Raises:
        SignatureMismatchError: If the shape of an output contradicts `shape`.
        tf.errors.InvalidArgumentError: If an output has another shape when the
            program runs.
    """
    if shape is None:
        return outputs
    if isinstance(shape, Mapping):
        if not isinstance(outputs, Mapping) or set(outputs) != set(shape):
            raise _make_mismatch_error(outputs, shape)
        return {key: ensure_shape(value, shape[key]) for key, value in outputs.items()}
    if isinstance(shape, list):
        if not isinstance(outputs, (list, tuple)) or len(outputs) != len(shape):
            raise _make_mismatch_error(outputs, shape)
        results = [ensure_shape(value, one) for value, one in zip(outputs, shape, strict=True)]
        return tuple(results) if isinstance(outputs, tuple) else results
    if isinstance(outputs, (Mapping, list, tuple)):
        raise _make_mismatch_error(outputs, shape)
    whole = _add_dimension(None, shape)
    if not tf.TensorShape(getattr(outputs, "shape", None)).is_compatible_with(whole):
        raise _make_mismatch_error(outputs, shape)
    return tf.ensure_shape(outputs, whole)


def add_batch(shape: Any, input_shape: Any) -> Any:
    """Computes the shapes of outputs for the shapes of inputs.

    Args:
        shape: The shape of each output without the batch, from parse().
        input_shape: The shapes of the inputs with the batch, nested like the inputs.

    Returns:
        A tf.TensorShape with the batch for each output, nested like `shape`.
    """
    if isinstance(shape, Mapping):
        return {key: add_batch(value, input_shape) for key, value in shape.items()}
    if isinstance(shape, list):
        return [add_batch(value, input_shape) for value in shape]
    return _add_dimension(_get_batch_size(input_shape), tf.TensorShape(shape))


def make_specs(shape: Any, dtypes: Mapping[str, tf.DType], default: tf.DType) -> Any:
    """Describes the inputs of a call by their shapes.

    Args:
        shape: The shapes of the inputs, with the batch; nested like the inputs.
        dtypes: A dict from the names of inputs to their dtypes.
        default: The dtype of all other inputs.

    Returns:
        A tf.TensorSpec for each shape.
    """
    if isinstance(shape, Mapping):
        return {k: make_specs(v, {}, dtypes.get(k, default)) for k, v in shape.items()}
    if isinstance(shape, (list, tuple)) and any(map(_is_nested, shape)):
        return [make_specs(value, {}, default) for value in shape]
    return tf.TensorSpec(shape, next(iter(dtypes.values())) if len(dtypes) == 1 else default)


def _get_batch_size(shape: Any) -> int | None:
    """Returns the size of the batch in the first of nested shapes; None if it is not known."""
    if isinstance(shape, Mapping):
        return _get_batch_size(next(iter(shape.values())))
    if isinstance(shape, (list, tuple)) and any(map(_is_nested, shape)):
        return _get_batch_size(shape[0])
    dimensions = tf.TensorShape(shape)
    return tf.compat.dimension_value(dimensions[0]) if dimensions.rank else None


def _is_nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple, tf.TensorShape))


def _add_dimension(batch: int | None, shape: tf.TensorShape) -> tf.TensorShape:
    return tf.TensorShape([batch]).concatenate(shape)


def _make_mismatch_error(outputs: Any, shape: Any) -> SignatureMismatchError:
    found = tf.nest.map_structure(lambda value: getattr(value, "shape", None), outputs)
    return SignatureMismatchError(
        f"KerasLayer has output_shape={convert_to_lists(shape)}, without the dimension of the "
        f"batch, but the outputs have {found}, with it. Give a dict or list of shapes for a dict "
        "or list of outputs."
    )

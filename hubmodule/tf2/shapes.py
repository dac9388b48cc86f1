"""The shapes that a program gives for the outputs of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from hubmodule.errors import ModuleDefinitionError, SignatureMismatchError


def parsed(shape: Any) -> Any:
    """A shape without the batch as a tf.TensorShape, or a dict or list of shapes as one of these.

    None stands for no shape.

    Raises:
        ModuleDefinitionError: if it is something else.
    """
    if shape is None:
        return None
    if isinstance(shape, Mapping):
        return {key: parsed(value) for key, value in shape.items()}
    if isinstance(shape, (list, tuple)) and any(_is_nested(value) for value in shape):
        return [parsed(value) for value in shape]
    try:
        return tf.TensorShape(shape)
    except (TypeError, ValueError) as error:
        raise ModuleDefinitionError(
            f"KerasLayer has output_shape={shape!r}, which is no shape: {error}"
        ) from error


def plain(shape: Any) -> Any:
    """What `parsed` gives, as JSON can hold it."""
    if isinstance(shape, tf.TensorShape):
        return None if shape.rank is None else shape.as_list()
    if isinstance(shape, Mapping):
        return {key: plain(value) for key, value in shape.items()}
    return shape if shape is None else [plain(value) for value in shape]


def with_shape(outputs: Any, shape: Any) -> Any:
    """Outputs of which TensorFlow knows that they have these shapes, after the batch.

    Raises:
        SignatureMismatchError: if they cannot have.
        tf.errors.InvalidArgumentError: at run time, if they turn out not to have.
    """
    if shape is None:
        return outputs
    if isinstance(shape, Mapping):
        if not isinstance(outputs, Mapping) or set(outputs) != set(shape):
            raise _mismatch(outputs, shape)
        return {key: with_shape(value, shape[key]) for key, value in outputs.items()}
    if isinstance(shape, list):
        if not isinstance(outputs, (list, tuple)) or len(outputs) != len(shape):
            raise _mismatch(outputs, shape)
        shaped = [with_shape(value, one) for value, one in zip(outputs, shape, strict=True)]
        return tuple(shaped) if isinstance(outputs, tuple) else shaped
    if isinstance(outputs, (Mapping, list, tuple)):
        raise _mismatch(outputs, shape)
    whole = _after_batch(None, shape)
    if not tf.TensorShape(getattr(outputs, "shape", None)).is_compatible_with(whole):
        raise _mismatch(outputs, shape)
    return tf.ensure_shape(outputs, whole)


def batched(shape: Any, input_shape: Any) -> Any:
    """The shapes of outputs, each a tf.TensorShape, for the shapes of inputs."""
    if isinstance(shape, Mapping):
        return {key: batched(value, input_shape) for key, value in shape.items()}
    if isinstance(shape, list):
        return [batched(value, input_shape) for value in shape]
    return _after_batch(_batch_of(input_shape), tf.TensorShape(shape))


def as_tuples(shape: Any) -> Any:
    """Converts shapes, each a tf.TensorShape, to tuples; an unknown rank to None."""
    if isinstance(shape, Mapping):
        return {key: as_tuples(value) for key, value in shape.items()}
    if isinstance(shape, (list, tuple)):
        return [as_tuples(value) for value in shape]
    return None if shape.rank is None else tuple(shape.as_list())


def make_specs(shape: Any, dtypes: Mapping[str, tf.DType], default: tf.DType) -> Any:
    """Describes the inputs of a call by their shapes.

    Args:
        shape: The shapes of the inputs, with the batch; nested like the inputs.
        dtypes: The types of named inputs.
        default: The type of all others.

    Returns:
        A tf.TensorSpec for each shape.
    """
    if isinstance(shape, Mapping):
        return {k: make_specs(v, {}, dtypes.get(k, default)) for k, v in shape.items()}
    if isinstance(shape, (list, tuple)) and any(map(_is_nested, shape)):
        return [make_specs(value, {}, default) for value in shape]
    return tf.TensorSpec(shape, next(iter(dtypes.values())) if len(dtypes) == 1 else default)


def _batch_of(shape: Any) -> int | None:
    """The size of the batch that the first of nested shapes has."""
    if isinstance(shape, Mapping):
        return _batch_of(next(iter(shape.values())))
    if isinstance(shape, (list, tuple)) and any(map(_is_nested, shape)):
        return _batch_of(shape[0])
    dims = tf.TensorShape(shape)
    return dims[0] if dims.rank else None


def _is_nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple, tf.TensorShape))


def _after_batch(batch: int | None, shape: tf.TensorShape) -> tf.TensorShape:
    return tf.TensorShape([batch]).concatenate(shape)


def _mismatch(outputs: Any, shape: Any) -> SignatureMismatchError:
    found = tf.nest.map_structure(lambda value: getattr(value, "shape", None), outputs)
    return SignatureMismatchError(
        f"KerasLayer has output_shape={plain(shape)}, which comes after the batch, but the "
        f"outputs have {found}."
    )

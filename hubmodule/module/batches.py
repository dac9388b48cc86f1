"""Makes a batch from the elements of it, and elements from a batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hubmodule.errors import SignatureMismatchError
from hubmodule.format.signatures import TensorInfo

_SparseValue = tf.compat.v1.SparseTensorValue
_RaggedValue = tf.compat.v1.ragged.RaggedTensorValue


def stack_elements(infos: Mapping[str, TensorInfo], elements: Sequence[Any]) -> dict[str, Any]:
    """Makes the inputs of a batch from its elements.

    Args:
        infos: The inputs that differ between elements, by name.
        elements: For each element a dict from the names of these inputs to its values; or, if
            there is one such input, its value. A value lacks the first dimension of the input:
            a Python value or array; for a sparse input a SparseTensorValue; for a ragged
            input a list, an array or a RaggedTensorValue.

    Returns:
        A dict from the names of the inputs to values that hub.eval_function_for_module()
        takes.

    Raises:
        SignatureMismatchError: If an input is missing or unknown, or a value is of another
            kind than its input.
    """
    if not infos:
        raise SignatureMismatchError(
            "No input differs between elements, so there is nothing to pass elements to. Choose "
            "a signature with inputs, and leave one of them out of the inputs for all elements."
        )
    stacked = {}
    for name, column in _collect_columns(infos, elements).items():
        try:
            stacked[name] = _STACKERS[infos[name].kind](infos[name], column)
        except (AttributeError, TypeError, ValueError) as error:
            raise SignatureMismatchError(
                f"Can't stack the elements of input '{name}', which is {infos[name]}: {error}"
            ) from error
    return stacked


def _collect_columns(infos: Mapping[str, TensorInfo], elements: Sequence[Any]) -> dict[str, Any]:
    if not isinstance(elements[0], Mapping):
        if len(infos) > 1:
            raise SignatureMismatchError(
                f"An element needs values for several inputs: pass a dict with the keys "
                f"{sorted(infos)}, not a value of type {type(elements[0]).__name__}."
            )
        return dict.fromkeys(infos, elements)
    for element in elements:
        if not isinstance(element, Mapping) or element.keys() != infos.keys():
            given = sorted(element, key=str) if isinstance(element, Mapping) else type(element)
            raise SignatureMismatchError(
                f"An element has {given}; pass a dict with the keys {sorted(infos)} for each."
            )
    return {name: [element[name] for element in elements] for name in infos}


def _stack_dense(info: TensorInfo, column: Sequence[Any]) -> Any:
    del info  # A session converts a list to an array of the type.
    return column


def _stack_sparse(info: TensorInfo, column: Sequence[Any]) -> Any:
    # The type may have several unknown dimensions, of which the largest element decides.
    shapes = [tuple(value.dense_shape) for value in column]
    known = info.get_shape()[1:]
    inner = [max(sizes) for sizes in zip(*shapes, strict=True)]
    if known.rank is not None:
        inner = [size or found for size, found in zip(known, inner, strict=True)]
    rows: Any = np.repeat(np.arange(len(column)), [len(value.values) for value in column])
    indices: Any = [np.reshape(value.indices, (-1, len(inner))) for value in column]
    return _SparseValue(
        np.concatenate([rows[:, np.newaxis], np.concatenate(indices)], axis=1),
        np.concatenate([np.asarray(v.values, info.dtype.as_numpy_dtype) for v in column]),
        np.array([len(column), *inner]),
    )


def _stack_ragged(info: TensorInfo, column: Sequence[Any]) -> Any:
    spec = info.type_spec
    if not isinstance(spec, tf.RaggedTensorSpec):
        raise TypeError(f"elements of the type {spec} cannot be stacked; pass whole batches")
    inner = spec.shape[spec.ragged_rank + 1 :]
    return tf.compat.v1.ragged.constant_value(
        [row.to_list() if isinstance(row, _RaggedValue) else row for row in column],
        dtype=spec.dtype.as_numpy_dtype,
        ragged_rank=spec.ragged_rank,
        inner_shape=tuple(inner) if inner.is_fully_defined() else None,
        row_splits_dtype=spec.row_splits_dtype.as_numpy_dtype,
    )


_STACKERS = {"dense": _stack_dense, "sparse": _stack_sparse, "composite": _stack_ragged}


def split_batch(name: str, value: Any, size: int) -> list[Any]:
    """Returns the parts of an output that belong to the elements of a batch.

    Args:
        name: The name of the output, for the error message.
        value: What the session returned: an array, a SparseTensorValue or a
            RaggedTensorValue.
        size: The number of elements.

    Returns:
        A list of `size` values of the same kind, which lack the first dimension. A row of a
        ragged value with one ragged dimension is an array.

    Raises:
        SignatureMismatchError: If the first dimension of the value is not `size`.
    """
    shape = _get_shape(value)
    if not shape or shape[0] != size:
        raise SignatureMismatchError(
            f"Output '{name}' has the shape {shape} for {size} elements, so it is not a value per "
            "element. Choose other outputs with the argument `output`."
        )
    if isinstance(value, _SparseValue):
        return list(_split_sparse(value))
    if isinstance(value, _RaggedValue):
        return list(_split_ragged(value))
    return list(value)


def _get_shape(value: Any) -> tuple[int | None, ...]:
    return tuple(value.dense_shape) if isinstance(value, _SparseValue) else tuple(value.shape)


def _split_sparse(value: Any) -> Iterable[Any]:
    # TensorFlow keeps the indices in the order of rows.
    starts: Any = np.searchsorted(value.indices[:, 0], np.arange(value.dense_shape[0] + 1))
    for start, end in itertools.pairwise(starts.tolist()):
        indices = value.indices[start:end, 1:]
        yield _SparseValue(indices, value.values[start:end], value.dense_shape[1:])


def _split_ragged(value: Any) -> Iterable[Any]:
    inner = value.values
    for start, end in itertools.pairwise(value.row_splits):
        yield _slice_rows(inner, start, end)


def _slice_rows(value: Any, start: int, end: int) -> Any:
    if not isinstance(value, _RaggedValue):
        return value[start:end]
    splits = value.row_splits[start : end + 1]
    return _RaggedValue(_slice_rows(value.values, splits[0], splits[-1]), splits - splits[0])

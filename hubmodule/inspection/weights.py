"""Compares values of two checkpoints, a piece at a time, so that memory stays bounded."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from hubmodule.errors import CheckpointError
from hubmodule.inspection.checkpoint_files import Checkpoint, read_stored
from hubmodule.inspection.checkpoint_index import IndexEntry, StoredTensor
from hubmodule.inspection.differences import ValueChange

# As double precision, with the intermediate results of a comparison, about 100 MB.
PIECE_ELEMENTS = 1 << 21


def compare_values(
    name: str, before: tuple[Checkpoint, str], after: tuple[Checkpoint, str]
) -> ValueChange | None:
    """The difference of a variable's values; None if they are the same.

    Args:
        name: The name of the variable.
        before: The first checkpoint, and the variable's name in it.
        after: The second checkpoint, and the variable's name in it.

    Raises:
        CheckpointError: If a data file ends too early.
    """
    first = before[0].index.entries[before[1]]
    second = after[0].index.entries[after[1]]
    dtype = _numpy_dtype(first.dtype)
    if (first.dtype, first.shape) != (second.dtype, second.shape) or dtype is None:
        return ValueChange(name)
    for checkpoint, entry in ((before[0], first), (after[0], second)):
        _check_size(checkpoint, entry, dtype)
    largest = squares = norm = 0.0
    # Whole tensors are read as vectors: then no piece is larger than it should be.
    if len(first.parts) == len(second.parts) == 1:
        first, second = _flatten(first), _flatten(second)
    pieces = zip(_pieces(before[0], first, dtype), _pieces(after[0], second, dtype), strict=True)
    for old, new in pieces:
        with np.errstate(all="ignore"):
            difference = np.abs(new - old)
            # Infinities of one sign, and what is not a number on both sides, are the same.
            difference[(new == old) | (np.isnan(new) & np.isnan(old))] = 0.0
            largest = _maximum(largest, float(difference.max(initial=0.0)))
            squares += float(np.sum(difference * difference))
            norm += float(np.sum(np.abs(old) ** 2))
    if largest == 0.0:
        return None
    relative = math.sqrt(squares / norm) if norm > 0 and math.isfinite(squares / norm) else None
    return ValueChange(name, largest if math.isfinite(largest) else None, relative)


def _check_size(checkpoint: Checkpoint, entry: IndexEntry, dtype: np.dtype) -> None:
    """Checks sizes before memory is taken for them."""
    is_shape = all(size >= 0 for size in entry.shape)
    expected = math.prod(entry.shape) * dtype.itemsize
    if not is_shape or entry.size != expected or expected > checkpoint.bytes:
        raise CheckpointError(
            f"The index of the checkpoint in {checkpoint.directory} is damaged: a size is wrong. "
            "Fetch the module again."
        )


def _maximum(first: float, second: float) -> float:
    # max() forgets what is not a number.
    return first if math.isnan(first) or first >= second else second


def _pieces(checkpoint: Checkpoint, entry: IndexEntry, dtype: np.dtype) -> Iterator[np.ndarray]:
    """The elements of a tensor in a type that loses none of them, some rows at a time."""
    shape, parts = entry.shape, entry.parts
    row_elements = math.prod(shape[1:])
    step = max(1, PIECE_ELEMENTS // max(row_elements, 1))
    wide = _wide_type(dtype)
    for start in range(0, shape[0], step):
        end = min(start + step, shape[0])
        rows: np.ndarray = np.zeros((end - start, *shape[1:]), wide)
        for part in parts:
            _fill(rows, start, part, checkpoint, dtype)
        yield rows


def _wide_type(dtype: np.dtype) -> type:
    if dtype.kind == "c":
        return np.complex128
    # Double precision has not a bit for each of a large integer's.
    return np.longdouble if dtype.kind in "iu" and dtype.itemsize > 4 else np.float64


def _flatten(entry: IndexEntry) -> IndexEntry:
    """A tensor that is stored whole, as a vector."""
    shape = (math.prod(entry.shape),)
    part = entry.parts[0]._replace(start=(0,), shape=shape)
    return entry._replace(shape=shape, parts=(part,))


def _fill(
    rows: np.ndarray, start: int, part: StoredTensor, checkpoint: Checkpoint, dtype: np.dtype
) -> None:
    """Copies what a part has of some rows into them."""
    first = max(start, part.start[0])
    last = min(start + len(rows), part.start[0] + part.shape[0])
    if first >= last:
        return
    row_bytes = math.prod(part.shape[1:]) * dtype.itemsize
    content = read_stored(
        checkpoint, part, (first - part.start[0]) * row_bytes, (last - first) * row_bytes
    )
    values = np.frombuffer(content, dtype).reshape((last - first, *part.shape[1:]))
    inner = [
        slice(begin, begin + size)
        for begin, size in zip(part.start[1:], part.shape[1:], strict=True)
    ]
    place = (slice(first - start, last - start), *inner)
    rows[place] = values


def _numpy_dtype(number: int) -> np.dtype | None:
    """The type of the elements of numeric tensors; None for others."""
    try:
        dtype = tf.as_dtype(number)
    except (TypeError, ValueError):
        return None
    is_number = dtype.is_floating or dtype.is_integer or dtype.is_complex or dtype.is_bool
    return np.dtype(dtype.as_numpy_dtype) if is_number and not dtype.is_quantized else None

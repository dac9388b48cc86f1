"""Compares values of two checkpoints, a piece at a time, so that memory stays bounded."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from hubmodule.errors import CheckpointError
from hubmodule.inspection.checkpoint_files import Checkpoint, StoredReader
from hubmodule.inspection.checkpoint_index import IndexEntry, StoredTensor
from hubmodule.inspection.differences import ValueChange

# The elements that are read and compared at a time: in double precision they fit into the
# processor's cache.
PIECE_ELEMENTS = 1 << 17


@dataclasses.dataclass
class _Difference:
    """The difference of the elements that were compared.

    Attributes:
        largest: The largest absolute difference.
        squares: The sum of the squares of the differences.
        norm: The sum of the squares of the first values.
    """

    largest: float = 0.0
    squares: float = 0.0
    norm: float = 0.0

    def add(self, old: np.ndarray, new: np.ndarray) -> None:
        with np.errstate(all="ignore"):
            difference = np.abs(new - old)
            # Infinities of the same sign count as equal, and so do two NaNs.
            difference[(new == old) | (np.isnan(new) & np.isnan(old))] = 0.0
            self.largest = _find_larger(self.largest, float(difference.max(initial=0.0)))
            self.squares += float(np.sum(difference * difference))
            self.norm += float(np.sum(np.abs(old) ** 2))


def compare_values(
    name: str, before: tuple[Checkpoint, str], after: tuple[Checkpoint, str]
) -> ValueChange | None:
    """Reads and compares the values of a variable in two checkpoints.

    Args:
        name: The name of the variable.
        before: The first checkpoint, and the variable's name in it.
        after: The second checkpoint, and the variable's name in it.

    Returns:
        The difference of the values; None if they are equal.

    Raises:
        CheckpointError: If an index is damaged, or a data file ends too early or cannot be read.
    """
    first = before[0].index.entries[before[1]]
    second = after[0].index.entries[after[1]]
    dtype = _find_numpy_dtype(first.dtype)
    if (first.dtype, first.shape) != (second.dtype, second.shape) or dtype is None:
        return ValueChange(name, reason="its elements are not numbers")
    for checkpoint, entry in ((before[0], first), (after[0], second)):
        _check_sizes(checkpoint, entry, dtype)
    # Tensors that are not partitioned are read as vectors, to limit the size of each piece.
    if len(first.parts) == len(second.parts) == 1:
        first, second = _flatten(first), _flatten(second)
    wide = _choose_wide_type(dtype)
    total = _Difference()
    with StoredReader(before[0]) as old_reader, StoredReader(after[0]) as new_reader:
        pieces = (
            _read_pieces(old_reader, first, dtype, wide),
            _read_pieces(new_reader, second, dtype, wide),
        )
        for old, new in zip(*pieces, strict=True):
            total.add(old, new)
    if total.largest == 0.0:
        return None
    if math.isnan(total.largest):
        return ValueChange(name, reason="NaN in one of the modules")
    if math.isinf(total.largest):
        return ValueChange(name, reason="infinite in one of the modules")
    if total.norm == 0:
        return ValueChange(name, total.largest, reason="was 0")
    if not math.isfinite(total.squares + total.norm):
        # Both modules have the same infinities or NaNs, or a square overflows.
        return ValueChange(name, total.largest, reason="not finite")
    return ValueChange(name, total.largest, math.sqrt(total.squares / total.norm))


def _check_sizes(checkpoint: Checkpoint, entry: IndexEntry, dtype: np.dtype) -> None:
    """Checks the sizes that an index states, before memory is allocated for them."""
    expected = math.prod(entry.shape) * dtype.itemsize
    are_within = all(
        len(part.start) == len(part.shape) == len(entry.shape)
        and all(
            0 <= start <= start + size <= whole
            for start, size, whole in zip(part.start, part.shape, entry.shape, strict=True)
        )
        for part in entry.parts
    )
    is_split_scalar = len(entry.parts) > 1 and not entry.shape
    if entry.size != expected or expected > checkpoint.bytes or not are_within or is_split_scalar:
        raise CheckpointError(
            f"The index of the checkpoint in {checkpoint.directory} is damaged: a size is wrong. "
            "Fetch the module again."
        )


def _find_larger(first: float, second: float) -> float:
    # max() may lose a NaN.
    return first if math.isnan(first) or first >= second else second


def _read_pieces(
    reader: StoredReader, entry: IndexEntry, dtype: np.dtype, wide: type
) -> Iterator[np.ndarray]:
    """Yields the elements of a tensor, some rows at a time, converted to the type `wide`."""
    shape, parts = entry.shape, entry.parts
    row_elements = math.prod(shape[1:])
    step = max(1, PIECE_ELEMENTS // max(row_elements, 1))
    for start in range(0, shape[0], step):
        end = min(start + step, shape[0])
        rows: np.ndarray = np.zeros((end - start, *shape[1:]), wide)
        for part in parts:
            _fill_rows(rows, start, part, reader, dtype)
        yield rows


def _choose_wide_type(dtype: np.dtype) -> type:
    """Returns a type that represents each value of another type, and their differences."""
    if dtype.kind == "c":
        return np.complex128
    # Double precision cannot represent all integers of 64 bits.
    return np.longdouble if dtype.kind in "iu" and dtype.itemsize > 4 else np.float64


def _flatten(entry: IndexEntry) -> IndexEntry:
    """Makes the entry of a tensor that is not partitioned one of a vector."""
    shape = (math.prod(entry.shape),)
    part = entry.parts[0]._replace(start=(0,), shape=shape)
    return entry._replace(shape=shape, parts=(part,))


def _fill_rows(
    rows: np.ndarray, start: int, part: StoredTensor, reader: StoredReader, dtype: np.dtype
) -> None:
    """Copies the elements of a part that lie in some rows of the tensor.

    Args:
        rows: The array of these rows, to which the function copies.
        start: The index of its first row in the whole tensor.
        part: The part.
        reader: The reader of the checkpoint.
        dtype: The type of the stored elements.
    """
    first = max(start, part.start[0])
    last = min(start + len(rows), part.start[0] + part.shape[0])
    if first >= last:
        return
    row_bytes = math.prod(part.shape[1:]) * dtype.itemsize
    begin, size = (first - part.start[0]) * row_bytes, (last - first) * row_bytes
    content = reader.read(part, begin, size)
    values = np.frombuffer(content, dtype).reshape((last - first, *part.shape[1:]))
    inner = [
        slice(begin, begin + size)
        for begin, size in zip(part.start[1:], part.shape[1:], strict=True)
    ]
    place = (slice(first - start, last - start), *inner)
    rows[place] = values


def _find_numpy_dtype(number: int) -> np.dtype | None:
    """Returns the type of NumPy for a numeric type; None for others."""
    try:
        dtype = tf.as_dtype(number)
    except (TypeError, ValueError):
        return None
    is_number = dtype.is_floating or dtype.is_integer or dtype.is_complex or dtype.is_bool
    return np.dtype(dtype.as_numpy_dtype) if is_number and not dtype.is_quantized else None

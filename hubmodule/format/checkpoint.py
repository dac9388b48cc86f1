"""variables/variables.*: the V2 checkpoint of a module.

A checkpoint is written in pieces, each of which is a shard; MergeV2Checkpoints joins them. So the
memory for writing depends on the largest tensor, not on the size of the model. Arrays that are
mapped from a file take no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import tensorflow as tf

from hubmodule.errors import CheckpointError
from hubmodule.surgery.state import VariableState

T = TypeVar("T")

# Large enough that the cost per piece is small, and small compared with TensorFlow itself.
PIECE_BYTES = 32 << 20

# The exceptions of the checkpoint reader: errors cross from C++ in several ways.
_READ_ERRORS = (tf.errors.OpError, ValueError, RuntimeError, IndexError)


@dataclass(frozen=True)
class Entry:
    """A tensor of a checkpoint, or a slice of one.

    Attributes:
        name: The name of the tensor.
        value: The content; a scalar string is bytes.
        slice_spec: The position of the slice, as SaveV2 takes it; "" for a whole tensor.
    """

    name: str
    value: np.ndarray | np.generic | bytes
    slice_spec: str = ""

    @property
    def array(self) -> np.ndarray:
        """The content as an array."""
        # NumPy's own type of strings would lose zeros at the end.
        return np.asarray(self.value, object if isinstance(self.value, bytes) else None)


@dataclass(frozen=True)
class Contents:
    """The tensors of a checkpoint, as its index lists them.

    Attributes:
        prefix: The path prefix of the checkpoint.
        shapes: The shapes of the whole tensors by name.
        dtypes: The dtypes of the tensors by name.
    """

    prefix: str
    shapes: Mapping[str, list[int]]
    dtypes: Mapping[str, tf.DType]

    def check(self, name: str, shape: tf.TensorShape, dtype: tf.DType) -> None:
        """Checks that a variable can be read from the checkpoint.

        Args:
            name: The name of the variable in the checkpoint.
            shape: The static shape of the whole variable.
            dtype: The dtype of the variable.

        Raises:
            CheckpointError: If the variable is missing, or has another shape or dtype.
        """
        if name not in self.shapes:
            raise CheckpointError(
                f"Checkpoint {self.prefix} has no tensor '{name}', which a variable needs; it has "
                f"{_list_names(sorted(self.shapes))}. Check the path, or map the names "
                "(name_transform_fn)."
            )
        found, found_dtype = tf.TensorShape(self.shapes[name]), self.dtypes[name]
        if not found.is_compatible_with(shape) or found_dtype != dtype:
            raise CheckpointError(
                f"Tensor '{name}' of checkpoint {self.prefix} is {found_dtype.name} {found}, but "
                f"the variable is {dtype.name} {shape}: the checkpoint belongs to another model."
            )


def split_into_batches(variables: Iterable[VariableState]) -> Iterator[list[VariableState]]:
    """Yields groups of variables whose values have about PIECE_BYTES together."""
    return _split_into_pieces(variables, lambda v: (v.shape.num_elements() or 1) * v.dtype.size)


def is_checkpoint(prefix: str) -> bool:
    """Whether there is a checkpoint with a path prefix."""
    return tf.io.gfile.exists(f"{prefix}.index")


def read_contents(prefix: str) -> Contents:
    """Reads the index of a checkpoint.

    Raises:
        CheckpointError: If the checkpoint does not exist, or its index is damaged.
    """
    reader = _open_reader(prefix)
    return Contents(prefix, reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map())


def find_latest(path: str) -> str:
    """Returns the path prefix of the newest checkpoint in a directory, or the path itself."""
    return (tf.train.latest_checkpoint(path) if tf.io.gfile.isdir(path) else None) or path


def read(prefix: str, names: Iterable[str]) -> Iterator[np.ndarray | np.generic | bytes]:
    """Reads tensors one at a time.

    Args:
        prefix: The path prefix of the checkpoint.
        names: The names of the tensors.

    Yields:
        The values, as a session returns them: arrays, or NumPy scalars and bytes.

    Raises:
        CheckpointError: If a tensor is missing, or the checkpoint is damaged.
    """
    reader = _open_reader(prefix)
    for name in names:
        try:
            yield reader.get_tensor(name)
        except _READ_ERRORS as error:
            raise CheckpointError(
                f"Cannot read '{name}' of checkpoint {prefix}: {error}"
            ) from error


def write(prefix: str, entries: Iterable[Entry]) -> None:
    """Writes a checkpoint; writes nothing for zero entries.

    Args:
        prefix: The path prefix of the checkpoint. Its directory is made; the parent of the
            directory must exist.
        entries: The tensors. They are iterated while they are written, so an iterator that
            makes them one by one saves memory.
    """
    shards: list[str] = []
    for piece in _split_into_pieces(entries, lambda entry: entry.array.nbytes):
        shards.append(f"{prefix}.tmp-{len(shards):05d}")
        _save(shards[-1], piece)
        piece.clear()  # the next piece is made while this name is still bound
    if shards:
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            session.run(
                tf.raw_ops.MergeV2Checkpoints(
                    checkpoint_prefixes=shards, destination_prefix=prefix, delete_old_dirs=False
                )
            )


def _split_into_pieces(items: Iterable[T], get_size: Callable[[T], int]) -> Iterator[list[T]]:
    """Yields groups of items that have about PIECE_BYTES together."""
    piece: list[T] = []
    size = 0
    for item in items:
        piece.append(item)
        size += get_size(item)
        if size >= PIECE_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _save(prefix: str, entries: list[Entry]) -> None:
    """Writes a checkpoint in one piece, by a new graph, as that of the caller may be finalized."""
    with tf.Graph().as_default(), tf.device("/cpu:0"), tf.compat.v1.Session() as session:
        values = [entry.array for entry in entries]
        placeholders = [tf.compat.v1.placeholder(_get_dtype(v), v.shape) for v in values]
        save = tf.raw_ops.SaveV2(
            prefix=prefix,
            tensor_names=[entry.name for entry in entries],
            shape_and_slices=[entry.slice_spec for entry in entries],
            tensors=placeholders,
        )
        session.run(save, dict(zip(placeholders, values, strict=True)))


def _get_dtype(value: np.ndarray) -> tf.DType:
    return tf.string if value.dtype.kind in "OSU" else tf.as_dtype(value.dtype)


def _open_reader(prefix: str) -> tf.train.CheckpointReader:
    try:
        return tf.compat.v1.train.NewCheckpointReader(prefix)
    except _READ_ERRORS as error:
        raise CheckpointError(f"Cannot read checkpoint {prefix}: {error}") from error


def _list_names(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:8]) or "none"
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")

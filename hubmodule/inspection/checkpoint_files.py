"""Reads the files in variables/: the index, the sizes of the data files, and the object graph."""

from __future__ import annotations

import dataclasses
import posixpath

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from hubmodule import files
from hubmodule.errors import CheckpointError
from hubmodule.inspection.checkpoint_index import (
    CheckpointIndex,
    IndexEntry,
    StoredTensor,
    parse_index,
)
from hubmodule.inspection.wording import format_count

DIRECTORY = "variables"
OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_PREFIX = "variables"
_NO_INDEX = CheckpointIndex(0, {})
_CHECKSUM_BYTES = 4


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """The checkpoint of a module.

    Attributes:
        directory: The path of variables/.
        index: Its index; without entries if there is none.
        bytes: The size of all files in variables/.
        damage: What is missing or cannot be read, a sentence each.
    """

    directory: str
    index: CheckpointIndex = _NO_INDEX
    bytes: int = 0
    damage: tuple[str, ...] = ()

    def get_shard_path(self, shard: int) -> str:
        """Returns the path of a data file.

        Args:
            shard: The number of the data file, from 0.
        """
        return posixpath.join(self.directory, _format_shard_name(shard, self.index.shards))


def read_checkpoint(module_directory: str) -> Checkpoint:
    """Reads the index of a module's checkpoint, and the sizes of its data files.

    Args:
        module_directory: The directory of the module.

    Returns:
        The checkpoint; its `damage` says what is missing or cannot be read.
    """
    directory = posixpath.join(module_directory, DIRECTORY)
    if not tf.io.gfile.isdir(directory):
        return Checkpoint(directory)
    sizes = {
        name: tf.io.gfile.stat(posixpath.join(directory, name)).length
        for name in tf.io.gfile.listdir(directory)
        if not name.endswith("/")
    }
    total = sum(sizes.values())
    index_name = f"{_PREFIX}.index"
    if index_name not in sizes:
        damage = (f"{DIRECTORY}/{index_name} is missing.",) if sizes else ()
        return Checkpoint(directory, bytes=total, damage=damage)
    try:
        index = parse_index(files.read_bytes(posixpath.join(directory, index_name)))
    except CheckpointError as error:
        return Checkpoint(directory, bytes=total, damage=(str(error),))
    return Checkpoint(directory, index, total, _find_cut_off_files(index, sizes))


def read_object_graph(checkpoint: Checkpoint, damage: list[str]) -> TrackableObjectGraph:
    """Reads the graph of the objects that a checkpoint of TF2 was written from.

    Args:
        checkpoint: The checkpoint.
        damage: A list to which the function appends a sentence if the graph cannot be read.

    Returns:
        The graph; empty if there is none or it cannot be read.
    """
    entry = checkpoint.index.entries.get(OBJECT_GRAPH)
    if entry is None or len(entry.parts) != 1:
        return TrackableObjectGraph()
    try:
        with StoredReader(checkpoint) as reader:
            content = reader.read(entry.parts[0])
        # A scalar string is stored as its length, a checksum of that, and its bytes.
        length_end = next(i for i, byte in enumerate(content) if byte < 0x80) + 1
        return TrackableObjectGraph.FromString(content[length_end + _CHECKSUM_BYTES :])
    except (DecodeError, StopIteration, CheckpointError):
        damage.append("The object graph of the checkpoint cannot be read.")
        return TrackableObjectGraph()


class StoredReader:
    """A reader of stored tensors, which keeps the data files open until its context ends.

    Args:
        checkpoint: The checkpoint that has the tensors.
    """

    def __init__(self, checkpoint: Checkpoint):
        self._checkpoint = checkpoint
        self._files: dict[str, tf.io.gfile.GFile] = {}
        self._lengths: dict[str, int] = {}

    def __enter__(self) -> StoredReader:
        return self

    def __exit__(self, *exception: object) -> None:
        for file in self._files.values():
            file.close()

    def read(self, stored: StoredTensor, start: int = 0, size: int | None = None) -> bytes:
        """Reads bytes of a stored tensor.

        Args:
            stored: The place of the tensor in the data files.
            start: The offset of the first byte to read, from the first byte of the tensor.
            size: The number of bytes to read; None means all from `start`.

        Raises:
            CheckpointError: If the data file cannot be read, or ends before the last of these
                bytes.
        """
        path = self._checkpoint.get_shard_path(stored.shard)
        size = stored.size - start if size is None else size
        begin = stored.offset + start
        try:
            if path not in self._files:
                self._lengths[path] = tf.io.gfile.stat(path).length
                self._files[path] = tf.io.gfile.GFile(path, "rb")
            file, length = self._files[path], self._lengths[path]
            if begin < 0 or size < 0 or begin + size > length:
                raise CheckpointError(
                    f"{path} has {length} bytes; the index points beyond its end. Fetch the "
                    "module again."
                )
            if file.tell() != begin:  # moving it drops what was read ahead
                file.seek(begin)
            return file.read(size)
        except CheckpointError:
            raise
        except tf.errors.OpError as error:
            raise CheckpointError(f"{path} cannot be read: {error.message}.") from error


def _find_cut_off_files(index: CheckpointIndex, sizes: dict[str, int]) -> tuple[str, ...]:
    ends: dict[int, int] = {}
    for entry in index.entries.values():
        for part in entry.parts:
            ends[part.shard] = max(ends.get(part.shard, 0), part.offset + part.size)
    damage = []
    for shard, end in sorted(ends.items()):
        name = _format_shard_name(shard, index.shards)
        if name not in sizes:
            damage.append(f"{DIRECTORY}/{name} is missing; {_describe_lost(index, shard, 0)}.")
        elif sizes[name] < end:
            lost = _describe_lost(index, shard, sizes[name])
            damage.append(f"{DIRECTORY}/{name} ends at byte {sizes[name]} of {end}; {lost}.")
    return tuple(damage)


def _describe_lost(index: CheckpointIndex, shard: int, length: int) -> str:
    """Says which tensors do not lie within the first bytes of a data file."""
    lost = sorted(n for n, entry in index.entries.items() if _is_lost(entry, shard, length))
    others = len(lost) - 1
    if others < 1:
        return f"{lost[0]!r} needs it" if lost else "no value is lost"
    return f"{lost[0]!r} and {format_count(others, 'other tensor')} need it"


def _is_lost(entry: IndexEntry, shard: int, length: int) -> bool:
    return any(part.shard == shard and part.offset + part.size > length for part in entry.parts)


def _format_shard_name(shard: int, shards: int) -> str:
    return f"{_PREFIX}.data-{shard:05d}-of-{shards:05d}"

"""Tests of hubmodule.inspection.checkpoint_index."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.message import Message
from hypothesis import strategies
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto

from hubmodule.errors import CheckpointError
from hubmodule.inspection.checkpoint_index import parse_index
from hubmodule.inspection.checksum import compute_crc32c, mask
from tests.inspection.modules import GOLDEN, golden

INDEXES = sorted(GOLDEN.glob("made_by_*/*/variables/variables.index"))
PARTITIONED = Path(golden("partitioned")) / "variables" / "variables.index"


@pytest.mark.parametrize("path", INDEXES, ids=lambda path: "/".join(path.parts[-4:-2]))
def test_it_says_what_tensorflow_reads(path: Path) -> None:
    index = parse_index(path.read_bytes())
    reader = tf.train.load_checkpoint(str(path.with_suffix("")))
    shapes = {name: list(entry.shape) for name, entry in index.entries.items()}
    dtypes = {name: tf.as_dtype(entry.dtype) for name, entry in index.entries.items()}
    assert shapes == reader.get_variable_to_shape_map()
    assert dtypes == reader.get_variable_to_dtype_map()


def test_parts_of_a_partitioned_variable() -> None:
    entry = parse_index(PARTITIONED.read_bytes()).entries["table/rows"]
    assert [part.start for part in entry.parts] == [(0, 0), (3, 0), (5, 0)]
    assert [part.shape for part in entry.parts] == [(3, 4), (2, 4), (2, 4)]
    assert entry.size == 7 * 4 * 4


def test_a_stored_value_lies_where_the_index_says() -> None:
    directory = Path(golden("batch_norm")) / "variables"
    index = parse_index((directory / "variables.index").read_bytes())
    reader = tf.train.load_checkpoint(str(directory / "variables"))
    data = (directory / "variables.data-00000-of-00001").read_bytes()
    for name, entry in index.entries.items():
        (part,) = entry.parts
        assert data[part.offset : part.offset + part.size] == reader.get_tensor(name).tobytes()


def test_digests_differ_where_values_do() -> None:
    index = parse_index(INDEXES[0].read_bytes())
    reader = tf.train.load_checkpoint(str(INDEXES[0].with_suffix("")))
    values = {name: reader.get_tensor(name) for name in index.entries}
    for first, second in itertools.combinations(index.entries, 2):
        same = np.array_equal(values[first], values[second])
        assert (index.entries[first].digest == index.entries[second].digest) is same


@pytest.mark.parametrize("content", [b"", b"\0" * 48, b"x" * 100])
def test_what_is_not_an_index(content: bytes) -> None:
    with pytest.raises(CheckpointError, match="index of the checkpoint is damaged"):
        parse_index(content)


@hypothesis.given(
    strategies.integers(0, len(PARTITIONED.read_bytes()) - 1),
    strategies.integers(0, 255),
    strategies.integers(0, 60),
)
def test_damage_is_an_error_or_another_index(place: int, byte: int, cut: int) -> None:
    content = bytearray(PARTITIONED.read_bytes())
    content[place] = byte
    del content[place : place + (cut if cut > 50 else 0)]
    try:
        parse_index(bytes(content))
    except CheckpointError as error:
        assert "damaged" in str(error)


def test_a_changed_byte_is_told() -> None:
    content = bytearray(PARTITIONED.read_bytes())
    content[20] ^= 1
    with pytest.raises(CheckpointError, match="checksum of a block of it is wrong"):
        parse_index(bytes(content))


@pytest.mark.parametrize("size", [-1, -(1 << 62)])
def test_a_negative_shape(size: int) -> None:
    entry = BundleEntryProto(dtype=1, size=4)
    entry.shape.dim.add(size=size)
    block = _block([(b"", BundleHeaderProto(num_shards=1)), (b"w", entry)])
    with pytest.raises(CheckpointError, match=f"has the shape \\[{size}\\]"):
        parse_index(_table(block))


def test_long_shared_keys_do_not_fill_the_memory() -> None:
    entries = b"".join([b"\0\xff\x7f\0" + b"k" * 16383, b"\xff\x7f\0\0" * 20_000])
    with pytest.raises(CheckpointError, match="too long"):
        parse_index(_table(_end_block(entries)))


def _block(entries: list[tuple[bytes, Message]]) -> bytes:
    """A block of entries that share no part of their keys."""
    pairs = [(key, message.SerializeToString()) for key, message in entries]
    return _end_block(b"".join(b"\0" + _varint(len(k)) + _varint(len(v)) + k + v for k, v in pairs))


def _end_block(entries: bytes) -> bytes:
    return entries + (0).to_bytes(4, "little") + (1).to_bytes(4, "little")


def _table(block: bytes) -> bytes:
    """An index with one block."""
    handle = b"\0" + _varint(len(block))
    index_block = _end_block(b"\0\x01" + bytes([len(handle)]) + b"z" + handle)
    place = _varint(len(block) + 5) + _varint(len(index_block))
    footer = (b"\0\0" + place).ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(8, "little")
    return _with_trailer(block) + _with_trailer(index_block) + footer


def _with_trailer(block: bytes) -> bytes:
    return block + b"\0" + mask(compute_crc32c(block + b"\0")).to_bytes(4, "little")


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

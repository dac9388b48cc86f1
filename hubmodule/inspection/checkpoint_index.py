"""Reads the index of a V2 checkpoint, which lists its tensors and where they are stored.

variables.index is a table of sorted keys, in the layout of LevelDB:

    blocks        entries, whose keys leave out what they share with the key before;
                  after each block how it is compressed (1 byte), and its checksum (4 bytes)
    index block   key -> place of a block
    footer        48 bytes: place of the index block, and a magic number

The empty key has a BundleHeaderProto, a tensor's name its BundleEntryProto, and each part of
a partitioned variable another one, under a key that begins with a zero byte
(tensorflow/core/util/tensor_bundle, tensorflow/core/lib/strings/ordered_code).

tf.train.load_checkpoint is not enough, for three reasons. It aborts the process if a shape is
negative or too large, and the files of a module are untrusted. It returns neither the checksums
of values, which show that two values differ without reading them, nor their places, which show
what a data file that is cut off has lost. It reads whole values only, however large they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto

from hubmodule.errors import CheckpointError
from hubmodule.inspection import checksum, snappy
from hubmodule.inspection.varint import read_varint

_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_FOOTER_BYTES = 48
_UNCOMPRESSED, _SNAPPY = 0, 1
_CHECKSUM_BYTES = 4
# Keys that share long beginnings could otherwise make a small file fill the memory.
_MOST_KEY_BYTES_PER_BYTE = 64
_PART = b"\x00"


# A checkpoint has many of these, and a tuple is made in half the time of a dataclass.
class StoredTensor(NamedTuple):
    """A tensor, or a part of one, in the data files of a checkpoint.

    Attributes:
        shard: The number of the data file.
        offset: The place of its first byte in that file.
        size: The number of its bytes.
        crc32c: The checksum of its bytes, as TensorFlow masks it.
        start: The index of its first element in the whole tensor, per dimension.
        shape: Its shape; of a part, that of the part.
    """

    shard: int
    offset: int
    size: int
    crc32c: int
    start: tuple[int, ...]
    shape: tuple[int, ...]


class IndexEntry(NamedTuple):
    """A tensor of a checkpoint.

    Attributes:
        dtype: The number of its type in TensorFlow's DataType enum.
        shape: The shape of the whole tensor.
        parts: Where it is stored: one element, or several for a partitioned variable.
    """

    dtype: int
    shape: tuple[int, ...]
    parts: tuple[StoredTensor, ...]

    @property
    def size(self) -> int:
        """The number of bytes of the value on disk."""
        if len(self.parts) == 1:
            return self.parts[0].size
        return sum(part.size for part in self.parts)

    @property
    def digest(self) -> str:
        """The checksums of the parts, in their order: CRC-32C, masked, in hexadecimal."""
        if len(self.parts) == 1:
            return f"{self.parts[0].crc32c:08x}"
        return "-".join(f"{part.crc32c:08x}" for part in sorted(self.parts, key=_get_start))


def _get_start(part: StoredTensor) -> tuple[int, ...]:
    return part.start


class CheckpointIndex(NamedTuple):
    """The index of a checkpoint.

    Attributes:
        shards: The number of data files.
        entries: Name of a tensor -> its entry.
    """

    shards: int
    entries: dict[str, IndexEntry]


def parse_index(content: bytes) -> CheckpointIndex:
    """Parses the content of a variables.index.

    Args:
        content: The bytes of the file.

    Raises:
        CheckpointError: If the content is damaged.
    """
    try:
        return _make_index(dict(_read_table(content)))
    except (DecodeError, ValueError, IndexError, UnicodeDecodeError) as error:
        raise CheckpointError(f"The index of the checkpoint is damaged: {error}.") from error


def _make_index(table: dict[bytes, bytes]) -> CheckpointIndex:
    header = BundleHeaderProto.FromString(table.pop(b"", b""))
    parts: dict[bytes, list[bytes]] = {}
    for key in table:
        if key.startswith(_PART):
            parts.setdefault(_decode_part_name(key), []).append(key)
    entries = {}
    for key, value in table.items():
        if not key.startswith(_PART):
            proto = BundleEntryProto.FromString(value)
            keys = parts.get(key, ()) if proto.slices else ()
            entries[key.decode()] = _make_entry(proto, [table[part] for part in keys])
    return CheckpointIndex(header.num_shards, entries)


def _make_entry(proto: BundleEntryProto, parts: list[bytes]) -> IndexEntry:
    shape = _read_shape(proto)
    if not proto.slices:
        return IndexEntry(
            proto.dtype, shape, (_make_stored_tensor(proto, (0,) * len(shape), shape),)
        )
    # Keys are sorted by the start and length of their slices, and so are not in the order of
    # `slices`; each part states only its own shape. The two orders agree once both are sorted.
    stored = [BundleEntryProto.FromString(part) for part in parts]
    starts = sorted(
        tuple((e.start, e.length if e.HasField("length") else -1) for e in piece.extent)
        for piece in proto.slices
    )
    if len(stored) != len(starts):
        raise ValueError(f"{len(starts)} parts are announced, {len(stored)} are there")
    return IndexEntry(
        proto.dtype,
        shape,
        tuple(
            _make_stored_tensor(part, tuple(start for start, _ in extents), _read_shape(part))
            for part, extents in zip(stored, starts, strict=True)
        ),
    )


def _make_stored_tensor(
    proto: BundleEntryProto, start: tuple[int, ...], shape: tuple[int, ...]
) -> StoredTensor:
    return StoredTensor(proto.shard_id, proto.offset, proto.size, proto.crc32c, start, shape)


def _read_shape(proto: BundleEntryProto) -> tuple[int, ...]:
    shape = tuple([dimension.size for dimension in proto.shape.dim])
    if shape and min(shape) < 0:
        raise ValueError(f"a tensor of it has the shape {list(shape)}")
    return shape


def _decode_part_name(key: bytes) -> bytes:
    """Returns the name in an ordered code: a zero byte, the escaped name, and an end mark."""
    name, mark, _ = key[1:].partition(b"\x00\x01")
    if not mark:
        raise ValueError("the key of a part has no end")
    return name.replace(b"\x00\xff", b"\x00").replace(b"\xff\x00", b"\xff")


def _read_table(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = content[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or not footer.endswith(_MAGIC):
        raise ValueError("it is cut off, or not an index")
    _, _, position = _read_handle(footer, 0)
    offset, size, _ = _read_handle(footer, position)
    left = _MOST_KEY_BYTES_PER_BYTE * len(content)
    for _, place in _read_block(content, offset, size):
        offset, size, _ = _read_handle(place, 0)
        for key, value in _read_block(content, offset, size):
            left -= len(key)
            if left < 0:
                raise ValueError("its keys are too long")
            yield key, value


def _read_block(content: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yields the entries of a block.

    An entry has the sizes of the shared and unshared part of its key, and of its value, as
    varints; the unshared part; and the value.
    """
    block = _load_block(content, offset, size)
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    if end < 0:
        raise ValueError("a block of it has no end")
    position, key = 0, b""
    while position < end:
        shared, position = read_varint(block, position)
        unshared, position = read_varint(block, position)
        length, position = read_varint(block, position)
        start = position + unshared
        if shared > len(key) or start + length > end:
            raise ValueError("an entry of it is cut off")
        key = key[:shared] + block[position:start]
        yield key, block[start : start + length]
        position = start + length


def _load_block(content: bytes, offset: int, size: int) -> bytes:
    block = content[offset : offset + size]
    trailer = content[offset + size : offset + size + 1 + _CHECKSUM_BYTES]
    if len(trailer) < 1 + _CHECKSUM_BYTES:
        raise ValueError("it is cut off")
    if int.from_bytes(trailer[1:], "little") != checksum.mask(
        checksum.compute_crc32c(block + trailer[:1])
    ):
        raise ValueError("the checksum of a block of it is wrong")
    compression = trailer[0]
    if compression == _SNAPPY:
        return snappy.decompress(block)
    if compression != _UNCOMPRESSED:
        raise ValueError("a block of it is compressed in an unknown way")
    return block


def _read_handle(content: bytes, position: int) -> tuple[int, int, int]:
    """Reads the offset and size of a block; returns them and the position after them."""
    offset, position = read_varint(content, position)
    size, position = read_varint(content, position)
    return offset, size, position

"""Decompresses Snappy, in which some builds of TensorFlow write the indexes of checkpoints.

The length of the output as a varint, then elements whose lowest two bits say what they are:
bytes to take as they are (0), or a copy of earlier output, with its distance in one (1), two
(2) or four (3) bytes (github.com/google/snappy, format_description.txt).
"""

from __future__ import annotations

from hubmodule.inspection.varint import read_varint

_LITERAL = 0
_COPY_WITH_SHORT_DISTANCE = 1
# A copy of up to 64 bytes takes three bytes.
_MOST_OUTPUT_BYTES_PER_BYTE = 22


def decompress(content: bytes) -> bytes:
    """Decompresses a block.

    Args:
        content: The compressed bytes of the block.

    Raises:
        ValueError: If the block is damaged.
        IndexError: If the block is cut off.
    """
    length, position = read_varint(content, 0)
    if length > _MOST_OUTPUT_BYTES_PER_BYTE * len(content):
        raise ValueError("a compressed block is damaged")
    output = bytearray()
    while position < len(content) and len(output) <= length:
        tag = content[position]
        position += 1
        if tag & 3 == _LITERAL:
            size, position = _read_literal_size(content, tag, position)
            output += content[position : position + size]
            position += size
        else:
            size, distance, position = _read_copy(content, tag, position)
            _append_copy(output, size, distance)
    if len(output) != length:
        raise ValueError("a compressed block is damaged")
    return bytes(output)


def _read_literal_size(content: bytes, tag: int, position: int) -> tuple[int, int]:
    size = tag >> 2
    if size < 60:
        return size + 1, position
    end = position + size - 59
    return int.from_bytes(content[position:end], "little") + 1, end


def _read_copy(content: bytes, tag: int, position: int) -> tuple[int, int, int]:
    """Reads the size and distance of a copy; returns them and the position after it."""
    if tag & 3 == _COPY_WITH_SHORT_DISTANCE:
        distance = (tag >> 5) << 8 | content[position]
        return (tag >> 2 & 7) + 4, distance, position + 1
    end = position + (2 if tag & 3 == 2 else 4)
    return (tag >> 2) + 1, int.from_bytes(content[position:end], "little"), end


def _append_copy(output: bytearray, size: int, distance: int) -> None:
    if not 0 < distance <= len(output):
        raise ValueError("a compressed block is damaged")
    repeated = output[-distance:]
    # A copy that is longer than its distance repeats its beginning.
    output += (repeated * (size // distance + 1))[:size]

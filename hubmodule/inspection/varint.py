"""Reads the integers of variable length that protocol buffers, LevelDB and Snappy use."""

from __future__ import annotations

_MOST_BYTES = 10


def read_varint(content: bytes, position: int) -> tuple[int, int]:
    """Reads an integer of variable length.

    Args:
        content: The bytes that contain the integer.
        position: The index of its first byte.

    Returns:
        The integer, and the index of the byte after it.

    Raises:
        IndexError: If the content ends within the integer.
        ValueError: If the integer has more than 64 bits.
    """
    value = 0
    for shift in range(0, 7 * _MOST_BYTES, 7):
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number has more than 64 bits")

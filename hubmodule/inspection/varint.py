"""The numbers of variable length of protocol buffers, LevelDB and Snappy."""

from __future__ import annotations

_MOST_BYTES = 10


def read_varint(content: bytes, position: int) -> tuple[int, int]:
    """Reads a number at a position; returns it, and the position after it.

    Raises:
        IndexError: If the content ends within it.
        ValueError: If it has more than 64 bits.
    """
    value = 0
    for shift in range(0, 7 * _MOST_BYTES, 7):
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number has more than 64 bits")

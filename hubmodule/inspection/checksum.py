"""CRC-32C, the checksum that TensorFlow stores beside what it writes."""

from __future__ import annotations

_POLYNOMIAL = 0x82F63B78
_ALL_BITS = 0xFFFFFFFF
_MASK_DELTA = 0xA282EAD8


def compute_crc32c(content: bytes) -> int:
    """Computes the CRC-32C of bytes, a megabyte in 60 ms: not for the values of variables."""
    table, crc = _TABLE, _ALL_BITS
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ _ALL_BITS


def mask(crc: int) -> int:
    """Rotates a checksum and adds a constant, as TensorFlow does before it stores one."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & _ALL_BITS


def _make_table() -> list[int]:
    table = []
    for entry in range(256):
        for _ in range(8):
            entry = entry >> 1 ^ (_POLYNOMIAL if entry & 1 else 0)
        table.append(entry)
    return table


_TABLE = _make_table()

"""Tests of hubmodule.inspection.checksum."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from hubmodule.inspection.checksum import compute_crc32c, mask


# From RFC 3720, B.4, and the usual check value.
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (b"\0" * 32, 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_known_values(content: bytes, expected: int) -> None:
    assert compute_crc32c(content) == expected


def test_it_is_what_tensorflow_stores(tmp_path: Path) -> None:
    path = tmp_path / "records"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"some bytes")
    # A record: its length (8 bytes), the checksum of that, the bytes, and their checksum.
    (stored,) = struct.unpack("<I", path.read_bytes()[-4:])
    assert mask(compute_crc32c(b"some bytes")) == stored


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of hubmodule.inspection.snappy."""

from __future__ import annotations

import contextlib
import sys

import hypothesis
import pytest
from hypothesis import strategies

from hubmodule.inspection.snappy import decompress


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x03\x08abc", b"abc"),
        (b"\x46" + b"\xf0\x45" + b"y" * 70, b"y" * 70),
        (b"\x08\x04ab\x09\x02", b"abababab"),
        (b"\x05\x08abc\x06\x03\x00", b"abcab"),
        (b"\x05\x08abc\x07\x03\x00\x00\x00", b"abcab"),
        (b"\x0a\x00a\x22\x01\x00", b"a" * 10),
    ],
)
def test_elements(content: bytes, expected: bytes) -> None:
    assert decompress(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"\x03\x08ab",
        b"\x05\x08abc",
        b"\x05\x08abc\x06\x09\x00",
        b"\xff\xff\xff\xff\x0f",
        b"\xff" * 6,
    ],
)
def test_damage(content: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        decompress(content)


@hypothesis.given(strategies.binary(max_size=200))
def test_any_bytes_give_little_or_an_error(content: bytes) -> None:
    with contextlib.suppress(ValueError, IndexError):
        assert len(decompress(content)) <= 22 * len(content)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of hubmodule.inspection.varint."""

from __future__ import annotations

import sys

import pytest

from hubmodule.inspection.varint import read_varint


@pytest.mark.parametrize(
    ("content", "value"),
    [(b"\0", 0), (b"\x7f", 127), (b"\x80\x01", 128), (b"\xff" * 9 + b"\x01", (1 << 64) - 1)],
)
def test_numbers(content: bytes, value: int) -> None:
    assert read_varint(b"x" + content + b"x", 1) == (value, 1 + len(content))


@pytest.mark.parametrize("content", [b"", b"\x80", b"\xff" * 9])
def test_a_number_that_is_cut_off(content: bytes) -> None:
    with pytest.raises(IndexError):
        read_varint(content, 0)


def test_a_number_that_is_too_long() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        read_varint(b"\xff" * 11, 0)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of hubmodule.commands.quantities."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import pytest

from hubmodule.commands.quantities import format_duration, parse_bytes, parse_seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("90s", 90.0), ("1.5m", 90.0), ("12h", 43200.0), ("30d", 2592000.0), ("2w", 1209600.0)],
)
def test_times(text: str, value: float) -> None:
    assert parse_seconds(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("5B", 5), ("1.5kB", 1500), ("500MB", 500 * 10**6), ("10 GB", 10**10)]
)
def test_sizes(text: str, value: int) -> None:
    assert parse_bytes(text) == value


@pytest.mark.parametrize("read", [parse_seconds, parse_bytes])
@pytest.mark.parametrize("text", ["", "1", "1x", "1e9", "9" * 400 + "GB"])
def test_texts_that_are_not_quantities(read: Callable[[str], float], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a"):
        read(text)


@pytest.mark.parametrize(
    ("passed", "text"), [(0.9, "0s"), (119, "1m"), (7200, "2h"), (15 * 86400, "15d")]
)
def test_times_for_people(passed: float, text: str) -> None:
    assert format_duration(passed) == text


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

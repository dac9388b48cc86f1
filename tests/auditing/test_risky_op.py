"""Tests of hubmodule.auditing.risky_op."""

from __future__ import annotations

import sys

import pytest

from hubmodule.auditing.risks import Level, Risk
from hubmodule.auditing.risky_op import HarmlessName, RiskyOp, allow_empty


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("path", "", False),
        ("prefix", "", True),
        ("path", "local://", True),
        ("path", "local://x", True),
        ("path", "/local://x", False),
        ("path", "memory", True),
        ("path", "memory2", False),
    ],
)
def test_harmless_names(key: str, value: str, expected: bool) -> None:
    harmless = (
        *allow_empty("it has no prefix", "prefix"),
        HarmlessName("local://*", "it is in the program"),
        HarmlessName("memory", "it stays in memory"),
    )
    row = RiskyOp("Op", Risk.READS_FILES, Level.HIGH, "Reads.", ("path", "prefix"), harmless)
    assert row.is_harmless(key, value) is expected


def test_nothing_is_harmless_unless_the_row_says_so() -> None:
    assert not RiskyOp("Op", Risk.READS_FILES, Level.HIGH, "Reads.", ("path",)).is_harmless(
        "path", ""
    )


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of hubmodule.inspection.wording."""

from __future__ import annotations

import sys

import pytest

from hubmodule.inspection import wording
from hubmodule.inspection.facts import UNKNOWN_DTYPE
from tests.inspection.modules import tensor


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (5_300_000_000, "5.3 GB"),
        (10**17, "100000.0 TB"),
    ],
)
def test_bytes(size: int | None, text: str) -> None:
    assert wording.format_bytes(size) == text


def test_counts() -> None:
    assert wording.format_count(1, "node") == "1 node"
    assert wording.format_count(1200, "node") == "1,200 nodes"


def test_tags() -> None:
    assert wording.format_tags(()) == "no tags"
    assert wording.format_tags(("a", "b")) == "a, b"
    assert wording.describe_tags(()) == "without tags"
    assert wording.describe_tags(("a", "b")) == "tagged a, b"


def test_tensors() -> None:
    assert wording.describe_tensor(tensor("x")) == "float32 [?, 3]"
    assert wording.describe_tensor(tensor("x", shape=None)) == "float32 of any shape"
    unknown = tensor("x", UNKNOWN_DTYPE, shape=None)
    assert wording.describe_tensor(unknown) == "of unknown type and shape"
    assert wording.describe_tensor(tensor("x", shape=(), kind="sparse")) == "float32 [], sparse"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

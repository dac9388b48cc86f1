"""Recorded values come back as they were, and every kind of difference is seen."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.golden import values
from tests.golden.values import Ragged, Sparse, Value

_VALUES = {
    "scalar": np.array(2.5, np.float32),
    "text": np.array([b"a", "\u00e9".encode(), b""]),
    "tower/flags": np.array([[True], [False]]),
    "sparse": Sparse(np.array([[0, 1]]), np.array([3.5]), np.array([2, 2])),
    "ragged": Ragged(np.arange(3), (np.array([0, 2]), np.array([0, 1, 3]))),
}


@pytest.mark.parametrize("name", list(_VALUES))
def test_a_value_survives_its_file(name: str, tmp_path: Path) -> None:
    values.save(tmp_path / "recording.npz", _VALUES)
    loaded = values.load(tmp_path / "recording.npz")
    assert values.difference(loaded[name], _VALUES[name], tolerance=0) == ""


@pytest.mark.parametrize(
    ("actual", "expected", "difference"),
    [
        (np.array([1.0001]), np.array([1.0]), "[1.0001] instead of [1.]"),
        (np.array([1.0], np.float32), np.array([1.0]), "float32 instead of float64"),
        (np.array([1, 2]), np.array([1.0, 2.0]), "int64(2,) instead of float64(2,)"),
        (np.array([1]), np.array([[1]]), "int64(1,) instead of int64(1, 1)"),
        (np.array([b"a"]), np.array([b"b"]), "[b'a'] instead of [b'b']"),
        (
            _VALUES["sparse"]._replace(values=np.array([4.0])),
            _VALUES["sparse"],
            "#values: [4.] instead of [3.5]",
        ),
        (np.array([3.5]), _VALUES["sparse"], "ndarray instead of Sparse"),
        (
            Ragged(np.arange(3), (np.array([0, 3]),)),
            _VALUES["ragged"],
            "parts ['#flat_values', '#row_splits_0'] instead of "
            "['#flat_values', '#row_splits_0', '#row_splits_1']",
        ),
    ],
)
def test_a_difference_is_told(actual: Value, expected: Value, difference: str) -> None:
    assert values.difference(actual, expected) == difference


def test_missing_and_unexpected_values_are_told() -> None:
    one, two = np.array(1), np.array(2)
    found = values.differences({"a": one, "b": one, "c": one}, {"b": two, "c": one, "d": one})
    assert found == {"a": "unexpected", "b": "1 instead of 2", "d": "missing"}


def test_numbers_may_differ_by_the_tolerance() -> None:
    assert values.difference(np.array([1.000009]), np.array([1.0])) == ""


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

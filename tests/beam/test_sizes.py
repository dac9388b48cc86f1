"""The bytes of elements."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.skipping import skip_without

skip_without("apache_beam", __name__)

from hubmodule.beam.sizes import count_bytes


@pytest.mark.parametrize(
    ("element", "size"),
    [
        ("abc", 3),
        ("äb", 3),
        (b"abcd", 4),
        (1, 8),
        (1.5, 8),
        (np.float32(1), 4),
        (np.zeros([2, 3], np.float32), 24),
        (np.array(["ab", b"c"], object), 3),
        ({"x": "ab", "y": np.zeros(2)}, 18),
        ([1, 2, 3], 24),
        (tf.compat.v1.SparseTensorValue(np.zeros([2, 1], np.int64), np.zeros(2), [4]), 16 + 16 + 8),
        (tf.compat.v1.ragged.constant_value([[1, 2], [3]], dtype=np.int64), 24 + 24),
    ],
)
def test_bytes_of_an_element(element, size):
    assert count_bytes([element]) == size


def test_bytes_of_a_batch_are_added():
    assert count_bytes(["abc", b"d"]) == 4
    assert count_bytes(["abc", "ä", "\ud800"]) == 8
    assert count_bytes([]) == 0


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""tensor_arrays: the gradients of the arrays of TF1."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from hubmodule import _tf
from hubmodule.tf2.tensor_arrays import register_gradients

raw = tf.raw_ops
SCALE = np.array([[2.0], [3.0], [5.0]], np.float32)


def gradient(compute: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]) -> np.ndarray:
    """The gradient by x of sum(SCALE * y); `compute` makes y [3, 1] of x and an empty array."""
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        x = tf.constant([[1.0], [10.0], [100.0]])
        handle, flow = raw.TensorArrayV3(size=3, dtype=tf.float32)
        y = compute(x, handle, flow)
        _tf.override_gradients(graph, register_gradients())
        return session.run(tf.gradients(y, x, SCALE)[0])


def test_scatter_and_gather() -> None:
    def reversed_rows(x: tf.Tensor, handle: tf.Tensor, flow: tf.Tensor) -> tf.Tensor:
        flow = raw.TensorArrayScatterV3(handle=handle, indices=[0, 1, 2], value=x, flow_in=flow)
        return raw.TensorArrayGatherV3(
            handle=handle, indices=[2, 1, 0], flow_in=flow, dtype=tf.float32
        )

    np.testing.assert_array_equal(gradient(reversed_rows), SCALE[::-1])


def test_write_and_read() -> None:
    def read_twice(x: tf.Tensor, handle: tf.Tensor, flow: tf.Tensor) -> tf.Tensor:
        flow = raw.TensorArrayWriteV3(handle=handle, index=1, value=x, flow_in=flow)
        reads = [
            raw.TensorArrayReadV3(handle=handle, index=1, flow_in=flow, dtype=tf.float32)
            for _ in range(2)
        ]
        return tf.add_n(reads)

    np.testing.assert_array_equal(gradient(read_twice), 2 * SCALE)


def test_split_and_concat() -> None:
    def concatenated(x: tf.Tensor, handle: tf.Tensor, flow: tf.Tensor) -> tf.Tensor:
        lengths = tf.constant([1, 2, 0], tf.int64)
        flow = raw.TensorArraySplitV3(handle=handle, value=x, lengths=lengths, flow_in=flow)
        return raw.TensorArrayConcatV3(handle=handle, flow_in=flow, dtype=tf.float32)[0]

    np.testing.assert_array_equal(gradient(concatenated), SCALE)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

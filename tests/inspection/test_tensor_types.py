"""Tests of hubmodule.inspection.tensor_types."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto

from hubmodule.inspection.inspect import inspect
from hubmodule.inspection.tensor_types import (
    compute_value_bytes,
    count_elements,
    get_dtype_bytes,
    get_dtype_name,
    read_shape,
)
from tests.inspection.modules import golden, tensor


def signatures(name: str) -> dict:
    return {s.name: s for s in inspect(golden(name)).variants[0].signatures}


def test_dense() -> None:
    (info,) = signatures("dense_regularized")["default"].inputs
    assert info == tensor("default", shape=(None, 3))


def test_sparse() -> None:
    (info,) = signatures("sparse")["default"].inputs
    assert (info.kind, info.dtype, info.type) == ("sparse", "float32", None)


def test_ragged() -> None:
    found = signatures("ragged")
    (info,) = found["default"].inputs
    assert (info.kind, info.type, info.ragged_rank) == ("composite", "RaggedTensorSpec", 1)
    assert info.shape == (None, None)
    (nested,) = found["nested"].inputs
    assert nested.ragged_rank == 2


@pytest.mark.parametrize(
    ("number", "name", "size"),
    [
        (tf.float32.as_datatype_enum, "float32", 4),
        (tf.string.as_datatype_enum, "string", None),
        (101, "float32", 4),
        (9999, "type 9999", None),
    ],
)
def test_types(number: int, name: str, size: int | None) -> None:
    assert (get_dtype_name(number), get_dtype_bytes(number)) == (name, size)


def test_shapes() -> None:
    assert read_shape(TensorShapeProto(unknown_rank=True)) is None
    assert read_shape(tf.TensorShape([2, None]).as_proto()) == (2, None)


@pytest.mark.parametrize(
    ("shape", "count"),
    [((), 1), ((2, 3), 6), ((2, None), None), (None, None), ((1 << 62,) * 1000, None)],
)
def test_elements(shape: tuple | None, count: int | None) -> None:
    assert count_elements(shape) == count


def test_bytes() -> None:
    assert compute_value_bytes(tf.float64.as_datatype_enum, (2, 3)) == 48
    assert compute_value_bytes(tf.string.as_datatype_enum, (2, 3)) is None


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

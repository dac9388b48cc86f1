"""dtypes: the types of outputs."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.surgery.dtypes import get_output_dtypes
from tests.surgery.protos import node_def


@pytest.mark.parametrize(
    "node, expected",
    [
        ('op: "Const" attr { key: "dtype" value { type: DT_HALF } }', [tf.float16]),
        ('op: "Multinomial"', [tf.int64]),
        ('op: "Shape"', [tf.int32]),
        (
            'op: "IdentityN" attr { key: "T" value { list { type: [DT_INT8, DT_BOOL] } } }',
            [tf.int8, tf.bool],
        ),
        (
            """op: "Unpack" attr { key: "T" value { type: DT_DOUBLE } }
            attr { key: "num" value { i: 2 } }""",
            [tf.float64, tf.float64],
        ),
        ('op: "LogUniformCandidateSampler"', [tf.int64, tf.float32, tf.float32]),
        ('op: "NoOp"', []),
        ('op: "NoSuchOp"', []),
    ],
)
def test_output_dtypes(node: str, expected: list[tf.DType]) -> None:
    assert [tf.as_dtype(dtype) for dtype in get_output_dtypes(node_def(node))] == expected


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

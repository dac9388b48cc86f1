"""random_draws: random numbers as inputs and outputs of signatures."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.surgery import random_draws

GRAPH = """
graph_def {
  node { name: "shape" op: "Const" }
  node { name: "noise" op: "RandomUniform" input: "shape"
         attr { key: "dtype" value { type: DT_DOUBLE } } }
  node { name: "lots" op: "Multinomial" input: "noise" input: "shape" }
}
signature_def { key: "default" value {
  inputs { key: "x" value { name: "shape:0" dtype: DT_INT32 } }
  outputs { key: "y" value { name: "lots:0" dtype: DT_INT64 } } } }
"""


@pytest.mark.parametrize(
    "op, expected",
    [
        ("RandomStandardNormal", True),
        ("TruncatedNormal", True),
        ("LogUniformCandidateSampler", True),
        ("StatelessRandomUniform", False),
        ("VarHandleOp", False),
        ("NoSuchOp", False),
    ],
)
def test_is_random(op: str, expected: bool) -> None:
    assert random_draws.is_random(op) is expected


def test_draws_join_the_signatures() -> None:
    meta_graph = text_format.Parse(GRAPH, MetaGraphDef())
    found = random_draws.add_draw_signatures(meta_graph, "default", ["lots", "noise"]).signature_def
    drawing, drawn = found["default/drawing"], found["default/drawn"]
    draws = {
        "hubmodule/draw_0": ("noise:0", tf.float64),
        "hubmodule/draw_1": ("lots:0", tf.int64),  # the default of the attribute
    }
    for infos in (drawing.outputs, drawn.inputs):
        assert {n: (i.name, i.dtype) for n, i in infos.items() if random_draws.is_draw(n)} == draws
    assert set(drawing.inputs) == {"x"}
    assert set(drawn.outputs) == {"y"}
    assert set(meta_graph.signature_def) == {"default"}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

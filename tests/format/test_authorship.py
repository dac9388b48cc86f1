"""Tests of hubmodule.format.authorship."""

from __future__ import annotations

import sys

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

import hubmodule
from hubmodule.format import authorship


def test_a_signed_graph() -> None:
    graph = MetaGraphDef()
    authorship.record_version(graph)
    assert authorship.read_version(graph) == hubmodule.__version__


@pytest.mark.parametrize("text", ["other 1.2", ""])
def test_another_program(text: str) -> None:
    graph = MetaGraphDef()
    assert authorship.read_version(graph) is None
    graph.meta_info_def.any_info.Pack(StringValue(value=text))
    assert authorship.read_version(graph) is None


def test_damage() -> None:
    graph = MetaGraphDef()
    authorship.record_version(graph)
    graph.meta_info_def.any_info.value = b"\xff"
    assert authorship.read_version(graph) is None


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

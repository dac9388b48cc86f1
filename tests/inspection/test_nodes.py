"""Tests of hubmodule.inspection.nodes."""

from __future__ import annotations

import sys

import pytest

from hubmodule.inspection.facts import TableFacts
from hubmodule.inspection.inspect import inspect
from hubmodule.inspection.nodes import walk_nodes
from tests.inspection.modules import golden, meta_graph


def test_counts_and_tables() -> None:
    graph = meta_graph()
    function = graph.graph_def.library.function.add()
    function.signature.name = "f"
    function.node_def.add(name="a", op="Add")
    function.node_def.add(name="t", op="HashTableV2")
    graph.graph_def.node.add(name="call", op="f")
    nodes = walk_nodes(graph)
    assert (nodes.nodes, nodes.function_nodes) == (6, 2)
    assert nodes.counts["HashTableV2"] == 2
    assert "f" not in nodes.counts
    assert {"f", "Add"} <= nodes.ops
    assert [node.name for node in nodes.tables] == ["x/table", "x/fill"]
    assert [node.name for node in nodes.function_tables] == ["t"]


def test_tables_and_their_assets() -> None:
    (variant,) = inspect(golden("twin_assets")).variants
    assert {table.asset for table in variant.tables} == {"words.txt", "words.txt0"}


def test_a_table_without_an_asset() -> None:
    (variant,) = inspect(golden("constant_table")).variants
    assert variant.tables == (TableFacts("hash_table", "HashTableV2", "int64", "string", None),)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

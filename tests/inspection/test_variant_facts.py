"""Tests of hubmodule.inspection.variant_facts."""

from __future__ import annotations

import sys

import pytest

from hubmodule.inspection.checkpoint_files import Checkpoint
from hubmodule.inspection.facts import TableFacts
from hubmodule.inspection.variant_facts import read_variant
from tests.inspection.modules import meta_graph, tensor


def test_a_variant() -> None:
    damage: list[str] = []
    graph = meta_graph({"b", "a"})
    graph.collection_def["update_ops"].node_list.value.append("x/fill")
    content = read_variant(graph, Checkpoint(""), damage)
    facts = content.facts
    assert (facts.tags, facts.tensorflow_version, facts.nodes) == (("a", "b"), "2.15.1", 5)
    assert facts.tables == (TableFacts("x/table", "HashTableV2", "string", "int64", "words.txt"),)
    assert facts.update_ops == ("x/fill",)
    assert facts.op_counts["VarHandleOp"] == 1
    (signature,) = facts.signatures
    assert signature.inputs == (tensor("x"),)
    assert content.asset_names == {"words.txt"}
    assert list(content.variables) == ["x/w"]
    assert damage == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""losses: regularisation losses as signatures."""

from __future__ import annotations

import sys

import pytest

from hubmodule.surgery.losses import with_loss_signatures
from tests.surgery.protos import meta_graph

TWO_LOSSES = """
    signature_def { key: "default" value { } }
    collection_def { key: "regularization_losses" value {
        node_list { value: "a:0" value: "b:1" value: "a:0" } } }"""


def test_each_loss_gets_one_signature():
    graph, names = with_loss_signatures(meta_graph(TWO_LOSSES))
    outputs = [dict(graph.signature_def[name].outputs) for name in names]
    assert [{key: info.name for key, info in found.items()} for found in outputs] == [
        {"default": "a:0"},
        {"default": "b:1"},
    ]


def test_losses_have_no_inputs():
    graph, names = with_loss_signatures(meta_graph(TWO_LOSSES))
    assert [len(graph.signature_def[name].inputs) for name in names] == [0, 0]


def test_other_signatures_stay():
    graph, names = with_loss_signatures(meta_graph(TWO_LOSSES))
    assert set(graph.signature_def) - set(names) == {"default"}


def test_without_losses_nothing_is_added():
    original = meta_graph('signature_def { key: "default" value { } }')
    assert with_loss_signatures(original) == (original, [])


def test_the_graph_itself_is_not_changed():
    original = meta_graph(TWO_LOSSES)
    with_loss_signatures(original)
    assert original == meta_graph(TWO_LOSSES)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

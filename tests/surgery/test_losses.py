"""losses: regularisation losses as signatures."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.surgery.losses import add_loss_signatures, list_loss_tensors
from tests.surgery.protos import meta_graph

TWO_LOSSES = """
    signature_def { key: "default" value { } }
    collection_def { key: "regularization_losses" value {
        node_list { value: "a:0" value: "b:1" value: "a:0" } } }"""


def test_each_loss_gets_one_signature():
    graph, names = add_loss_signatures(meta_graph(TWO_LOSSES))
    outputs = [dict(graph.signature_def[name].outputs) for name in names]
    assert [{key: info.name for key, info in found.items()} for found in outputs] == [
        {"default": "a:0"},
        {"default": "b:1"},
    ]


def test_losses_have_no_inputs():
    graph, names = add_loss_signatures(meta_graph(TWO_LOSSES))
    assert [len(graph.signature_def[name].inputs) for name in names] == [0, 0]


def test_other_signatures_go():
    graph, names = add_loss_signatures(meta_graph(TWO_LOSSES))
    assert set(graph.signature_def) == set(names)


def test_types_are_those_of_the_tensors():
    graph, names = add_loss_signatures(
        meta_graph(
            TWO_LOSSES
            + """graph_def {
                node { name: "a" op: "Identity" attr { key: "T" value { type: DT_DOUBLE } } }
                node { name: "b" op: "LogUniformCandidateSampler" } }"""
        )
    )
    infos = [graph.signature_def[name].outputs["default"] for name in names]
    assert [info.dtype for info in infos] == [tf.float64, tf.float32]


def test_losses_are_listed_once():
    assert list_loss_tensors(meta_graph(TWO_LOSSES)) == ["a:0", "b:1"]


def test_the_graph_itself_is_not_changed():
    original = meta_graph(TWO_LOSSES)
    add_loss_signatures(original)
    assert original == meta_graph(TWO_LOSSES)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""registration: ops that nobody has registered, and what to import."""

from __future__ import annotations

import sys

import pytest

from hubmodule.errors import UnregisteredOpsError
from hubmodule.surgery.registration import check_registered, find_unregistered_ops
from tests.surgery.protos import graph_def


def test_unknown_ops_are_found_in_graphs_and_functions():
    graph = graph_def("""
        node { name: "a" op: "NoOp" } node { name: "b" op: "NobodysB" } node { name: "c" op: "f" }
        library { function { signature { name: "f" } node_def { name: "d" op: "NobodysA" } } }""")
    assert find_unregistered_ops(graph) == ["NobodysA", "NobodysB"]


def test_a_graph_of_known_ops_will_do():
    check_registered(graph_def('node { name: "a" op: "MatMul" }'), {"train"})


@pytest.mark.parametrize(
    ("op", "package"),
    [
        ("SentencepieceOpOfTomorrow", "tensorflow_text"),
        ("TFText>OfTomorrow", "tensorflow_text"),
        ("RougeL", "tensorflow_text"),
        ("Addons>Tomorrow", "tensorflow_addons"),
        ("IO>Tomorrow", "tensorflow_io"),
        ("SimpleMLInferenceTomorrow", "tensorflow_decision_forests"),
    ],
)
def test_the_package_to_import_is_named(op, package):
    with pytest.raises(UnregisteredOpsError, match=f"'{op}'.*Install and import {package} before"):
        check_registered(graph_def(f'node {{ name: "a" op: "{op}" }}'), set())


def test_all_packages_and_the_variant_are_named():
    graph = graph_def('node { name: "a" op: "IO>A" } node { name: "b" op: "Addons>B" }')
    with pytest.raises(UnregisteredOpsError) as caught:
        check_registered(graph, {"train", "big"})
    assert "Graph variant ['big', 'train']" in str(caught.value)
    assert "import tensorflow_addons and tensorflow_io before" in str(caught.value)


def test_where_no_package_is_known_the_advice_names_none():
    with pytest.raises(UnregisteredOpsError, match="Import the package that registers them"):
        check_registered(graph_def('node { name: "a" op: "NobodysOp" }'), set())


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

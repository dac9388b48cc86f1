"""collections: which a module may carry, and what they name."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.errors import ModuleDefinitionError, ModuleFormatError
from hubmodule.surgery import collections
from tests.surgery.protos import meta_graph, variable_def

Keys = tf.compat.v1.GraphKeys


@pytest.mark.parametrize(
    ("ours", "tensorflows"),
    [
        (collections.VARIABLES, Keys.GLOBAL_VARIABLES),
        (collections.TRAINABLE_VARIABLES, Keys.TRAINABLE_VARIABLES),
        (collections.MODEL_VARIABLES, Keys.MODEL_VARIABLES),
        (collections.TABLE_INITIALIZERS, Keys.TABLE_INITIALIZERS),
        (collections.UPDATE_OPS, Keys.UPDATE_OPS),
        (collections.REGULARIZATION_LOSSES, Keys.REGULARIZATION_LOSSES),
        (collections.ASSET_FILEPATHS, Keys.ASSET_FILEPATHS),
        (collections.COND_CONTEXT, Keys.COND_CONTEXT),
        (collections.WHILE_CONTEXT, Keys.WHILE_CONTEXT),
    ],
)
def test_names_are_those_of_tensorflow(ours, tensorflows):
    assert ours == tensorflows
    assert ours in collections.SUPPORTED


class TestCheckSupported:
    def test_what_a_module_may_carry_will_do(self):
        collections.check_supported(collections.SUPPORTED)

    def test_others_are_named_with_what_to_do(self):
        with pytest.raises(ModuleDefinitionError) as caught:
            collections.check_supported(["losses", "variables", "summaries"])
        assert "Unsupported collections in graph: ['losses', 'summaries']" in str(caught.value)
        assert "drop_collections" in str(caught.value)

    def test_keys_that_are_no_names_cannot_be_published_anyway(self):
        collections.check_supported([("__variable_store",), "variables"])


class TestNamesIn:
    def test_keeps_the_order_and_drops_repetitions(self):
        graph = meta_graph("""collection_def { key: "update_ops" value {
            node_list { value: "b" value: "a" value: "b" } } }""")
        assert collections.list_names(graph, "update_ops") == ["b", "a"]

    def test_a_missing_collection_is_empty_and_stays_missing(self):
        graph = meta_graph("")
        assert collections.list_names(graph, "update_ops") == []
        assert not graph.collection_def


class TestVariablesIn:
    def test_reads_each_variable_once(self):
        graph = meta_graph("")
        variables = [variable_def('variable_name: "v:0"'), variable_def('variable_name: "w:0"')]
        for variable in [*variables, variables[0]]:
            graph.collection_def["variables"].bytes_list.value.append(variable.SerializeToString())
        assert collections.read_variable_defs(graph, "variables") == variables

    def test_a_missing_collection_is_empty_and_stays_missing(self):
        graph = meta_graph("")
        assert collections.read_variable_defs(graph, "variables") == []
        assert not graph.collection_def

    def test_damage_is_named(self):
        graph = meta_graph(
            'collection_def { key: "variables" value { bytes_list { value: "?" } } }'
        )
        with pytest.raises(ModuleFormatError, match="'variables' is damaged"):
            collections.read_variable_defs(graph, "variables")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

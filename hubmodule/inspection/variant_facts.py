"""Reads the facts of one graph variant."""

from __future__ import annotations

import dataclasses

from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.format import authorship
from hubmodule.inspection import (
    calls,
    collection_facts,
    object_graph,
    tensor_types,
    variable_facts,
)
from hubmodule.inspection.checkpoint_files import Checkpoint, read_object_graph
from hubmodule.inspection.facts import Call, VariantFacts
from hubmodule.inspection.nodes import read_tables, walk_nodes
from hubmodule.surgery import collections

# TensorFlow marks ops that a loader runs as signatures, and hides these from callers.
_INTERNAL_SIGNATURES = frozenset({"__saved_model_init_op", "__saved_model_train_op"})


@dataclasses.dataclass(frozen=True)
class VariantContent:
    """A graph variant, and what belongs to the facts of the whole module.

    Attributes:
        facts: The facts of the variant.
        variables: Its variables by name.
        asset_names: The names of the assets that it uses.
        ops: The types of all nodes, those in functions included.
        calls: The ways to call the root object of a TF2 SavedModel, and its public methods.
    """

    facts: VariantFacts
    variables: dict[str, variable_facts.VariableInVariants]
    asset_names: frozenset[str]
    ops: frozenset[str]
    calls: tuple[Call, ...]


def read_variant(
    meta_graph: MetaGraphDef, checkpoint: Checkpoint, damage: list[str]
) -> VariantContent:
    """Reads a graph variant.

    Args:
        meta_graph: The graph variant.
        checkpoint: The checkpoint of the module.
        damage: A list to which the function appends a sentence for what cannot be read.
    """
    nodes = walk_nodes(meta_graph)
    tags = tuple(sorted(meta_graph.meta_info_def.tags))
    assets = collection_facts.read_asset_files(meta_graph, damage)
    objects = meta_graph.object_graph_def
    if objects.nodes:
        stored = read_object_graph(checkpoint, damage)
        variables = object_graph.read_variables(tags, objects, stored)
    else:
        variables = variable_facts.read_collections(
            tags,
            collection_facts.read_variables(meta_graph, collections.VARIABLES, damage),
            collection_facts.read_variables(meta_graph, collections.TRAINABLE_VARIABLES, damage),
            meta_graph.graph_def.node,
            checkpoint.index,
        )
    signatures = meta_graph.signature_def
    facts = VariantFacts(
        tags=tags,
        tensorflow_version=meta_graph.meta_info_def.tensorflow_version,
        hubmodule_version=authorship.read_version(meta_graph),
        nodes=nodes.nodes,
        functions=len(meta_graph.graph_def.library.function),
        function_nodes=nodes.function_nodes,
        signatures=tuple(
            tensor_types.read_signature(name, signatures[name])
            for name in sorted(signatures.keys() - _INTERNAL_SIGNATURES)
        ),
        tables=read_tables(nodes, assets),
        messages=collection_facts.read_messages(meta_graph, damage),
        update_ops=tuple(collections.list_names(meta_graph, collections.UPDATE_OPS)),
        regularization_losses=tuple(
            collections.list_names(meta_graph, collections.REGULARIZATION_LOSSES)
        ),
        op_counts=dict(sorted(nodes.counts.items())),
    )
    names = frozenset(assets.values())
    return VariantContent(facts, variables, names, nodes.ops, calls.read_calls(objects))

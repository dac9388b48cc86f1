"""Counts the ops of a graph by type, and finds its lookup tables."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.inspection import tensor_types
from hubmodule.inspection.facts import TableFacts
from hubmodule.surgery.names import get_op_name

VARIABLE_OPS = frozenset({"VarHandleOp", "Variable", "VariableV2"})
TABLE_OPS = frozenset(
    {
        "AnonymousHashTable",
        "HashTable",
        "HashTableV2",
        "MutableDenseHashTable",
        "MutableDenseHashTableV2",
        "MutableHashTable",
        "MutableHashTableOfTensors",
        "MutableHashTableOfTensorsV2",
        "MutableHashTableV2",
    }
)
TABLE_FILE_OPS = frozenset({"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"})
_KEPT_OPS = TABLE_OPS | TABLE_FILE_OPS


@dataclasses.dataclass(frozen=True)
class GraphNodes:
    """The nodes of a graph.

    Attributes:
        nodes: The number of nodes of the graph itself.
        function_nodes: The number of nodes in its functions.
        counts: Type of op -> how many nodes have it, those in functions included; calls of
            functions are not counted.
        ops: The types of all nodes; those that are functions are the names of these.
        tables: The nodes of the graph itself that hold or fill lookup tables.
        function_tables: The nodes in functions that hold or fill lookup tables.
    """

    nodes: int
    function_nodes: int
    counts: dict[str, int]
    ops: frozenset[str]
    tables: list[tf.compat.v1.NodeDef]
    function_tables: list[tf.compat.v1.NodeDef]


def walk_nodes(meta_graph: MetaGraphDef) -> GraphNodes:
    """Counts the nodes of a graph and of its functions, and finds those of lookup tables.

    Args:
        meta_graph: The graph variant.
    """
    graph_def = meta_graph.graph_def
    counts: collections.Counter[str] = collections.Counter()
    tables = _count_ops(graph_def.node, counts)
    nodes = counts.total()
    in_functions = []
    for function in graph_def.library.function:
        in_functions += _count_ops(function.node_def, counts)
    function_nodes = counts.total() - nodes
    ops = frozenset(counts)
    for function in graph_def.library.function:
        counts.pop(function.signature.name, None)
    return GraphNodes(nodes, function_nodes, dict(counts), ops, tables, in_functions)


def read_tables(nodes: GraphNodes, assets: Mapping[str, str]) -> tuple[TableFacts, ...]:
    """Describes the lookup tables of a graph and of its functions.

    Args:
        nodes: The nodes of the graph.
        assets: Name of a tensor -> name of the asset whose path it holds.
    """
    fillers = _find_fillers(nodes.tables, assets)
    return tuple(
        TableFacts(
            node.name,
            node.op,
            _read_dtype(node, "key_dtype"),
            _read_dtype(node, "value_dtype"),
            fillers.get(node.name),
        )
        for node in [*nodes.tables, *nodes.function_tables]
        if node.op in TABLE_OPS
    )


def _count_ops(
    nodes: Sequence[tf.compat.v1.NodeDef], counts: collections.Counter[str]
) -> list[tf.compat.v1.NodeDef]:
    """Adds the types of nodes to `counts`; returns the nodes that hold or fill lookup tables."""
    # A list of all nodes would hold an object for each, which takes as long as parsing them.
    operations = [node.op for node in nodes]
    counts.update(operations)
    return [nodes[i] for i, operation in enumerate(operations) if operation in _KEPT_OPS]


def _find_fillers(
    nodes: Iterable[tf.compat.v1.NodeDef], assets: Mapping[str, str]
) -> dict[str, str]:
    """Finds the assets that fill tables: name of a table's op -> name of the asset."""
    by_op = {get_op_name(tensor): name for tensor, name in assets.items()}
    inputs = [[get_op_name(i) for i in n.input[:2]] for n in nodes if n.op in TABLE_FILE_OPS]
    return {pair[0]: by_op[pair[1]] for pair in inputs if len(pair) == 2 and pair[1] in by_op}


def _read_dtype(node: tf.compat.v1.NodeDef, attribute: str) -> str | None:
    if attribute not in node.attr:
        return None
    return tensor_types.get_dtype_name(node.attr[attribute].type)

"""One walk over the nodes of a graph: what there is of each type, and the nodes that matter."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable

import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

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
_KEPT_OPS = VARIABLE_OPS | TABLE_OPS | TABLE_FILE_OPS


@dataclasses.dataclass(frozen=True)
class GraphNodes:
    """The nodes of a graph.

    Attributes:
        nodes: The number of nodes of the graph itself.
        function_nodes: The number of nodes in its functions.
        counts: How many nodes there are of each type, functions included, calls of them not.
        kept: The nodes of the graph itself that hold variables and tables, or fill tables.
        function_tables: The nodes in functions that hold tables or fill them.
    """

    nodes: int
    function_nodes: int
    counts: dict[str, int]
    kept: list[tf.compat.v1.NodeDef]
    function_tables: list[tf.compat.v1.NodeDef]


def walk_nodes(meta_graph: MetaGraphDef) -> GraphNodes:
    """Walks over the nodes of a graph and of its functions."""
    graph_def = meta_graph.graph_def
    counts: collections.Counter[str] = collections.Counter()
    kept = _count(graph_def.node, counts)
    nodes = counts.total()
    in_functions = []
    for function in graph_def.library.function:
        in_functions += _count(function.node_def, counts)
    function_nodes = counts.total() - nodes
    for function in graph_def.library.function:
        counts.pop(function.signature.name, None)
    return GraphNodes(nodes, function_nodes, dict(counts), kept, in_functions)


def _count(
    nodes: Iterable[tf.compat.v1.NodeDef], counts: collections.Counter[str]
) -> list[tf.compat.v1.NodeDef]:
    # A list of all nodes would hold an object for each, which takes as long as parsing them.
    kept = []
    operations = []
    for node in nodes:
        op = node.op
        operations.append(op)
        if op in _KEPT_OPS:
            kept.append(node)
    counts.update(operations)
    return kept

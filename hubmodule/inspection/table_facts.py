"""The lookup tables of a graph variant, and the assets that fill them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import tensorflow as tf

from hubmodule.inspection import tensor_types
from hubmodule.inspection.facts import TableFacts
from hubmodule.inspection.nodes import TABLE_FILE_OPS, TABLE_OPS, GraphNodes
from hubmodule.surgery.names import op_name


def read_tables(nodes: GraphNodes, assets: Mapping[str, str]) -> tuple[TableFacts, ...]:
    """The tables of a graph and its functions.

    Args:
        nodes: The nodes of the variant.
        assets: The assets of the variant: tensor name -> file name.
    """
    fillers = _find_fillers(nodes.kept, assets)
    every = [*nodes.kept, *nodes.function_tables]
    return tuple(
        TableFacts(
            node.name,
            node.op,
            _dtype(node, "key_dtype"),
            _dtype(node, "value_dtype"),
            fillers.get(node.name),
        )
        for node in every
        if node.op in TABLE_OPS
    )


def _find_fillers(
    nodes: Iterable[tf.compat.v1.NodeDef], assets: Mapping[str, str]
) -> dict[str, str]:
    """The asset that fills a table, by the name of the table's op."""
    by_op = {op_name(tensor): name for tensor, name in assets.items()}
    inputs = [[op_name(i) for i in n.input[:2]] for n in nodes if n.op in TABLE_FILE_OPS]
    return {pair[0]: by_op[pair[1]] for pair in inputs if len(pair) == 2 and pair[1] in by_op}


def _dtype(node: tf.compat.v1.NodeDef, attribute: str) -> str | None:
    if attribute not in node.attr:
        return None
    return tensor_types.dtype_name(node.attr[attribute].type)

"""Adds signatures that compute the regularisation losses of a MetaGraph."""

from __future__ import annotations

import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.surgery import collections
from hubmodule.surgery.dtypes import get_output_dtypes
from hubmodule.surgery.names import get_op_name

_PREFIX = "hubmodule/regularization_loss"


def add_loss_signatures(meta_graph: MetaGraphDef) -> tuple[MetaGraphDef, list[str]]:
    """Replaces the signatures of a MetaGraph by one for each regularisation loss.

    Returns:
        A new MetaGraphDef, and the names of its signatures, which have no inputs and the
        output "default".
    """
    result = MetaGraphDef()
    result.CopyFrom(meta_graph)
    result.signature_def.clear()
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    names = []
    for index, tensor in enumerate(list_loss_tensors(meta_graph)):
        names.append(f"{_PREFIX}_{index}")
        info = result.signature_def[names[-1]].outputs["default"]
        info.name = tensor
        info.dtype = _find_dtype(nodes.get(get_op_name(tensor)), tensor)
        info.tensor_shape.unknown_rank = True
    return result, names


def list_loss_tensors(meta_graph: MetaGraphDef) -> list[str]:
    """Returns the names of the tensors with the regularisation losses of a MetaGraph."""
    return collections.list_names(meta_graph, collections.REGULARIZATION_LOSSES)


def _find_dtype(node: tf.compat.v1.NodeDef | None, tensor: str) -> int:
    dtypes = get_output_dtypes(node) if node else []
    index = int(tensor.partition(":")[2] or 0)
    # A missing or unknown op is an error when the loss is computed, not before.
    return dtypes[index] if index < len(dtypes) else tf.float32.as_datatype_enum

"""Makes the regularisation losses of a MetaGraph callable."""

from __future__ import annotations

import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.surgery import collections

_PREFIX = "hubmodule/regularization_loss"


def with_loss_signatures(meta_graph: MetaGraphDef) -> tuple[MetaGraphDef, list[str]]:
    """Adds a signature for each regularisation loss, without inputs, with the output "default".

    Returns:
        A new MetaGraph, and the names of its new signatures.
    """
    result = MetaGraphDef()
    result.CopyFrom(meta_graph)
    names = []
    for index, tensor in enumerate(
        collections.names_in(meta_graph, collections.REGULARIZATION_LOSSES)
    ):
        names.append(f"{_PREFIX}_{index}")
        info = result.signature_def[names[-1]].outputs["default"]
        info.name = tensor
        info.dtype = tf.float32.as_datatype_enum
        info.tensor_shape.unknown_rank = True
    return result, names

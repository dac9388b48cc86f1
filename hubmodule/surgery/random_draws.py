"""Makes random numbers outputs or inputs of a signature, so that it can be recomputed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import _tf
from hubmodule.surgery.dtypes import get_output_dtypes

_RANDOM = re.compile("Random|Multinomial|TruncatedNormal|CandidateSampler")
_INPUT = "hubmodule/draw"


def is_random(op_type: str) -> bool:
    """Whether ops of a type draw different random numbers at each run."""
    definition = _tf.find_op_def(op_type)
    stateful = definition is not None and definition.is_stateful
    return stateful and _RANDOM.search(op_type) is not None


def add_draw_signatures(
    meta_graph: MetaGraphDef, signature: str, ops: Iterable[str]
) -> MetaGraphDef:
    """Adds two signatures: one returns the random numbers that it draws, one takes them.

    Args:
        meta_graph: The MetaGraphDef, which is not changed.
        signature: The name of the signature that the two extend.
        ops: The names of the random ops that the signature needs.

    Returns:
        A new MetaGraphDef. The signature name_drawing_signature(signature) has the random
        numbers as additional outputs. The signature name_drawn_signature(signature) has them
        as additional inputs with the same names, which sort after the other names.
    """
    result = MetaGraphDef()
    result.CopyFrom(meta_graph)
    draws = _list_outputs(meta_graph, set(ops))
    for name in (name_drawing_signature(signature), name_drawn_signature(signature)):
        result.signature_def[name].CopyFrom(meta_graph.signature_def[signature])
    for index, (tensor, dtype) in enumerate(draws):
        for infos in (
            result.signature_def[name_drawing_signature(signature)].outputs,
            result.signature_def[name_drawn_signature(signature)].inputs,
        ):
            info = infos[f"{_INPUT}_{index}"]
            info.name = tensor
            info.dtype = dtype
            info.tensor_shape.unknown_rank = True
    return result


def name_drawing_signature(signature: str) -> str:
    """Returns the name of the signature whose outputs include the random numbers."""
    return f"{signature}/drawing"


def name_drawn_signature(signature: str) -> str:
    """Returns the name of the signature whose inputs include the random numbers."""
    return f"{signature}/drawn"


def is_draw(name: str) -> bool:
    """Whether an input or output of these two signatures holds random numbers."""
    return name.startswith(_INPUT)


def _list_outputs(meta_graph: MetaGraphDef, ops: set[str]) -> list[tuple[str, int]]:
    """Lists the output tensors of ops with their dtypes."""
    return [
        (f"{node.name}:{index}", dtype)
        for node in meta_graph.graph_def.node
        if node.name in ops
        for index, dtype in enumerate(get_output_dtypes(node))
    ]

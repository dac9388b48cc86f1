"""Random numbers as inputs and outputs of a signature, so that it can be computed again."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import _tf
from hubmodule.surgery.dtypes import get_output_dtypes

_RANDOM = re.compile("Random|Multinomial|TruncatedNormal|CandidateSampler")
_INPUT = "hubmodule/draw"


def is_random(op_type: str) -> bool:
    """Whether an op of a type draws other numbers each time."""
    definition = _tf.op_def(op_type)
    stateful = definition is not None and definition.is_stateful
    return stateful and _RANDOM.search(op_type) is not None


def add_draw_signatures(
    meta_graph: MetaGraphDef, signature: str, ops: Iterable[str]
) -> MetaGraphDef:
    """A MetaGraph with two more signatures: one that draws, and one that takes what it drew.

    Args:
        meta_graph: is not changed.
        signature: its name.
        ops: the names of random ops that it needs.

    Returns:
        A new MetaGraph. Its signature `drawing(signature)` has also the outputs of the
        ops, and `drawn(signature)` has them as inputs under the same names; these follow
        the others in the order of names.
    """
    result = MetaGraphDef()
    result.CopyFrom(meta_graph)
    draws = _outputs(meta_graph, set(ops))
    for name in (drawing(signature), drawn(signature)):
        result.signature_def[name].CopyFrom(meta_graph.signature_def[signature])
    for index, (tensor, dtype) in enumerate(draws):
        for infos in (
            result.signature_def[drawing(signature)].outputs,
            result.signature_def[drawn(signature)].inputs,
        ):
            info = infos[f"{_INPUT}_{index}"]
            info.name = tensor
            info.dtype = dtype
            info.tensor_shape.unknown_rank = True
    return result


def drawing(signature: str) -> str:
    """The name of the signature that has also the random numbers as outputs."""
    return f"{signature}/drawing"


def drawn(signature: str) -> str:
    """The name of the signature that has also the random numbers as inputs."""
    return f"{signature}/drawn"


def is_draw(name: str) -> bool:
    """Whether an input or output of those signatures is one of random numbers."""
    return name.startswith(_INPUT)


def _outputs(meta_graph: MetaGraphDef, ops: set[str]) -> list[tuple[str, int]]:
    """The output tensors of ops, with their types."""
    return [
        (f"{node.name}:{index}", dtype)
        for node in meta_graph.graph_def.node
        if node.name in ops
        for index, dtype in enumerate(get_output_dtypes(node))
    ]

"""Finds ops that this process does not know, and the packages that register them."""

from __future__ import annotations

from collections.abc import Collection

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import UnregisteredOpsError
from hubmodule.surgery.calls import check_calls
from hubmodule.surgery.constants import check_constant
from hubmodule.surgery.portability import iterate_nodes

# As registered by tensorflow_text 2.21; its other ops start with "TFText>".
_TEXT_OPS = frozenset(
    {
        "CaseFoldUTF8",
        "ConstrainedSequence",
        "FastBertNormalize",
        "FastWordpieceTokenizeWithOffsets",
        "FindSourceOffsets",
        "MaxSpanningTree",
        "NormalizeUTF8",
        "NormalizeUTF8WithOffsetsMap",
        "PhraseTokenize",
        "RegexSplitWithOffsets",
        "RougeL",
        "SentenceFragments",
        "SentenceFragmentsV2",
        "SplitMergeTokenizeWithOffsets",
        "TokenizerFromLogits",
        "UnicodeScriptTokenizeWithOffsets",
        "WhitespaceTokenizeWithOffsets",
        "WordpieceTokenizeWithOffsets",
    }
)
_PACKAGES_BY_PREFIX = {
    "Addons>": "tensorflow_addons",
    "IO>": "tensorflow_io",
    "Sentencepiece": "tensorflow_text",
    "SimpleMLInference": "tensorflow_decision_forests",
    "TFText>": "tensorflow_text",
}


def find_unregistered_ops(graph_def: tf.compat.v1.GraphDef) -> list[str]:
    """Returns the op types of a graph that this process does not know, except its functions."""
    return sorted(op for op in _list_op_types(graph_def) if _tf.find_op_def(op) is None)


def check_registered(graph_def: tf.compat.v1.GraphDef, tags: Collection[str]) -> None:
    """Checks that TensorFlow knows the ops of a subgraph, and that none crashes the process.

    Args:
        graph_def: The subgraph of a graph variant.
        tags: The tags of the graph variant, for the error message.

    Raises:
        ModuleFormatError: If a constant or a call of a function would crash the process.
        UnregisteredOpsError: If this process does not know an op; the message lists these
            ops and, where known, the package to import.
    """
    op_types = _list_op_types(graph_def)
    unknown = sorted(op for op in op_types if _tf.find_op_def(op) is None)
    if unknown:
        raise UnregisteredOpsError(
            f"Graph variant {sorted(tags)} of the module needs ops that are not registered in "
            f"TensorFlow {tf.__version__}: {unknown}. {_advise(unknown)}"
        )
    if "Const" in op_types:
        for node in iterate_nodes(graph_def):
            if node.op == "Const":
                check_constant(node)
    check_calls(graph_def, op_types)


def _list_op_types(graph_def: tf.compat.v1.GraphDef) -> set[str]:
    own = {function.signature.name for function in graph_def.library.function}
    return {node.op for node in iterate_nodes(graph_def)} - own


def _advise(unknown: Collection[str]) -> str:
    packages = sorted({package for op in unknown if (package := find_package(op))})
    if not packages:
        return "Import the package that registers them before you use the module."
    return f"Install and import {' and '.join(packages)} before you use the module."


def find_package(op: str) -> str | None:
    """Returns the package whose import registers an op type; None if it is not known."""
    if op in _TEXT_OPS:
        return "tensorflow_text"
    prefixes = (prefix for prefix in _PACKAGES_BY_PREFIX if op.startswith(prefix))
    return _PACKAGES_BY_PREFIX.get(next(prefixes, ""))

"""Ops that this process does not know, and the packages whose import makes them known."""

from __future__ import annotations

from collections.abc import Collection

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import UnregisteredOpsError
from hubmodule.surgery.calls import check_calls
from hubmodule.surgery.constants import check_constant
from hubmodule.surgery.portability import all_nodes

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


def unregistered_ops(graph_def: tf.compat.v1.GraphDef) -> list[str]:
    """The op types of a graph, without its own functions, that this process does not know."""
    return sorted(op for op in _op_types(graph_def) if _tf.op_def(op) is None)


def check_registered(graph_def: tf.compat.v1.GraphDef, tags: Collection[str]) -> None:
    """Checks that TensorFlow knows the ops of a part of a graph variant, and survives them.

    Raises:
        ModuleFormatError: if a constant or a call of a function would end the process.
        UnregisteredOpsError: names the ops and, where known, the package to import.
    """
    op_types = _op_types(graph_def)
    unknown = sorted(op for op in op_types if _tf.op_def(op) is None)
    if unknown:
        raise UnregisteredOpsError(
            f"Graph variant {sorted(tags)} of the module needs ops that are not registered in "
            f"TensorFlow {tf.__version__}: {unknown}. {_advice(unknown)}"
        )
    if "Const" in op_types:
        for node in all_nodes(graph_def):
            if node.op == "Const":
                check_constant(node)
    check_calls(graph_def, op_types)


def _op_types(graph_def: tf.compat.v1.GraphDef) -> set[str]:
    own = {function.signature.name for function in graph_def.library.function}
    return {node.op for node in all_nodes(graph_def)} - own


def _advice(unknown: Collection[str]) -> str:
    packages = sorted({package for op in unknown if (package := package_of(op))})
    if not packages:
        return "Import the package that registers them before you use the module."
    return f"Install and import {' and '.join(packages)} before you use the module."


def package_of(op: str) -> str | None:
    """The package whose import registers an op type; None if it is not known."""
    if op in _TEXT_OPS:
        return "tensorflow_text"
    prefixes = (prefix for prefix in _PACKAGES_BY_PREFIX if op.startswith(prefix))
    return _PACKAGES_BY_PREFIX.get(next(prefixes, ""))

"""Ops that this process does not know, and the packages whose import makes them known."""

from __future__ import annotations

from collections.abc import Collection

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import UnregisteredOpsError
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
    own = {function.signature.name for function in graph_def.library.function}
    used = {node.op for node in all_nodes(graph_def)} - own
    return sorted(op for op in used if _tf.op_def(op) is None)


def check_registered(graph_def: tf.compat.v1.GraphDef, tags: Collection[str]) -> None:
    """Checks that a part of a graph variant can be imported.

    Raises:
        UnregisteredOpsError: names the ops and, where known, the package to import.
    """
    unknown = unregistered_ops(graph_def)
    if unknown:
        raise UnregisteredOpsError(
            f"Graph variant {sorted(tags)} of the module needs ops that are not registered in "
            f"TensorFlow {tf.__version__}: {unknown}. {_advice(unknown)}"
        )


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

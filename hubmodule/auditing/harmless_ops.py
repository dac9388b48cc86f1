"""Ops with an input or attribute that looks like a file, an address or a callback, but is not.

The reason of each says what the input or attribute is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tensorflow.core.framework import op_def_pb2
from tensorflow.core.framework.types_pb2 import DT_STRING

_SUSPICIOUS_WORDS = """
address addresses backend callback checkpoint ckpt client code command connection database db
descriptor device devices dir directory driver dump endpoint executable file filename filenames
files folder graph host hostname incarnation job library log logdir mlir module network path paths
pattern patterns plugin port prefix prefixes process program python query region request scheme
script server service shard snapshot socket source spec stream summary target tfdbg token uri uris
url urls vocab worker workers
"""
# An input or attribute with one of these words in its name may refer to something outside of the
# graph. Attributes that hold functions do not: the audit looks into the functions.
_WORDS = frozenset(_SUSPICIOUS_WORDS.split())
_STRINGS = frozenset({"string", "list(string)"})

_REASONS = {
    "The device that has the resource.": "VarHandleOp",
    "Device types, such as CPU, to choose a branch by.": "DeviceIndex",
    "Devices of this process.": (
        "AnonymousMultiDeviceIterator AnonymousMultiDeviceIteratorV3 MultiDeviceIterator"
    ),
    "The type of the device of this process, such as TPU.": (
        "DTensorAllReduce DTensorReduceScatter _XlaRecvAtHost _XlaRecvAtHostV2 _XlaSendFromHost "
        "_XlaSendFromHostV2"
    ),
    "A regular expression that strings are matched with.": (
        "RegexFullMatch RegexReplace StaticRegexFullMatch StaticRegexReplace"
    ),
    "Tells gradients of one computation from those of another.": (
        "TensorArrayGrad TensorArrayGradV2 TensorArrayGradV3 TensorArrayGradWithShape"
    ),
    "The prefix of the names of counters.": (
        "ExperimentalSetStatsAggregatorDataset SetStatsAggregatorDataset"
    ),
    "The key of a compiled program of this process.": (
        "GetMinibatchSplitsWithPhysicalReplica GetMinibatchesInCsrWithPhysicalReplica "
        "StoreMinibatchStatisticsInFdo"
    ),
    "A message that describes a summary; the file is that of the op that makes the writer.": (
        "TensorSummaryV2 WriteSummary"
    ),
    "Names of computations that run on the host of a TPU.": "TPUReplicateMetadata _TPUReplicate",
}
HARMLESS_OPS = {op: reason for reason, ops in _REASONS.items() for op in ops.split()}


def find_suspicious_names(op_def: op_def_pb2.OpDef) -> Iterator[str]:
    """Finds the inputs and attributes of an op that may name files, addresses or callbacks."""
    for input_arg in op_def.input_arg:
        if input_arg.type == DT_STRING and not input_arg.is_ref and _is_suspicious(input_arg.name):
            yield input_arg.name
    for attr in op_def.attr:
        if attr.type in _STRINGS and _is_suspicious(attr.name):
            yield attr.name


def _is_suspicious(name: str) -> bool:
    return not _WORDS.isdisjoint(re.split(r"[_\d]+", name.lower()))

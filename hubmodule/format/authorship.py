"""Which hubmodule wrote a graph variant: a StringValue in `meta_info_def.any_info`.

TensorFlow leaves that field to programs. Neither it nor tensorflow_hub reads it; tensorflow_hub
copies it, like the version of TensorFlow, when it exports a module that it has loaded.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError
from google.protobuf.wrappers_pb2 import StringValue
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule._version import __version__

_NAME = "hubmodule"


def record_version(meta_graph: MetaGraphDef) -> None:
    """Records in a MetaGraph, which is changed, that this version of hubmodule wrote it."""
    meta_graph.meta_info_def.any_info.Pack(StringValue(value=f"{_NAME} {__version__}"))


def read_version(meta_graph: MetaGraphDef) -> str | None:
    """Returns the version of the hubmodule that wrote a MetaGraph; None for other programs."""
    author = StringValue()
    try:
        if not meta_graph.meta_info_def.any_info.Unpack(author):
            return None
    except DecodeError:
        return None
    name, _, version = author.value.partition(" ")
    return version if name == _NAME else None

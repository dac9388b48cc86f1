"""Messages attached to a graph variant: the collection "hub_module_attachments"."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import module_attachment_pb2
from hubmodule.errors import ModuleFormatError
from hubmodule.surgery import collections


def read(meta_graph: MetaGraphDef) -> dict[str, bytes]:
    """Returns the serialized messages of a MetaGraph by key; of equal keys, the last counts.

    Raises:
        ModuleFormatError: If an attachment cannot be read.
    """
    if collections.ATTACHMENTS not in meta_graph.collection_def:
        return {}
    values = meta_graph.collection_def[collections.ATTACHMENTS].bytes_list.value
    try:
        attachments = map(module_attachment_pb2.ModuleAttachment.FromString, values)
        return {attachment.key: attachment.value for attachment in attachments}
    except DecodeError as error:
        raise ModuleFormatError(
            f"A message attached to the module is damaged: {error}. Fetch the module again."
        ) from error


def write_in_place(meta_graph: MetaGraphDef, messages: Mapping[str, bytes]) -> None:
    """Adds serialized messages by key to a MetaGraph, which is changed."""
    for key, value in sorted(messages.items()):
        attachment = module_attachment_pb2.ModuleAttachment(key=key, value=value)
        meta_graph.collection_def[collections.ATTACHMENTS].bytes_list.value.append(
            attachment.SerializeToString()
        )

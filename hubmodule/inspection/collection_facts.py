"""Reads the collections of a graph variant element by element, and skips damaged ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

from google.protobuf.message import DecodeError
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef, MetaGraphDef

from hubmodule import image_module_info_pb2, module_attachment_pb2
from hubmodule.inspection.facts import MessageFacts
from hubmodule.surgery import collections

_IMAGE_KEY = "image_module_info"

T = TypeVar("T")


def read_variables(meta_graph: MetaGraphDef, key: str, damage: list[str]) -> list[VariableDef]:
    """Reads the variables of a collection.

    Args:
        meta_graph: The graph variant.
        key: The name of the collection.
        damage: A list to which the function appends a sentence if elements cannot be read.
    """
    values = _list_bytes(meta_graph, key)
    return _parse_each(dict.fromkeys(values), VariableDef.FromString, f"collection {key!r}", damage)


def read_asset_files(meta_graph: MetaGraphDef, damage: list[str]) -> dict[str, str]:
    """Reads which assets a variant uses.

    Args:
        meta_graph: The graph variant.
        damage: A list to which the function appends a sentence if elements cannot be read.

    Returns:
        Name of a tensor -> name of the file below assets/ whose path it holds.
    """
    found = list(meta_graph.asset_file_def)
    key = collections.SAVED_MODEL_ASSETS
    if key in meta_graph.collection_def:
        packed = meta_graph.collection_def[key].any_list.value
        values = [value.value for value in packed]
        found += _parse_each(values, AssetFileDef.FromString, f"collection {key!r}", damage)
    return {asset.tensor_info.name: asset.filename for asset in found}


def read_messages(meta_graph: MetaGraphDef, damage: list[str]) -> tuple[MessageFacts, ...]:
    """Reads the messages attached to a variant.

    Args:
        meta_graph: The graph variant.
        damage: A list to which the function appends a sentence if messages cannot be read.

    Returns:
        The last message under each key, sorted by key.
    """
    values = _list_bytes(meta_graph, collections.ATTACHMENTS)
    attachments = _parse_each(
        values, module_attachment_pb2.ModuleAttachment.FromString, "an attached message", damage
    )
    last = {attachment.key: attachment.value for attachment in attachments}
    return tuple(
        MessageFacts(
            key, len(value), hashlib.sha256(value).hexdigest(), _decode_message(key, value)
        )
        for key, value in sorted(last.items())
    )


def _decode_message(key: str, value: bytes) -> dict[str, int] | None:
    if key != _IMAGE_KEY:
        return None
    try:
        size = image_module_info_pb2.ImageModuleInfo.FromString(value).default_image_size
    except DecodeError:
        return None
    return {"height": size.height, "width": size.width}


def _list_bytes(meta_graph: MetaGraphDef, key: str) -> list[bytes]:
    if key not in meta_graph.collection_def:
        return []
    return list(meta_graph.collection_def[key].bytes_list.value)


def _parse_each(
    values: Iterable[bytes], parse: Callable[[bytes], T], what: str, damage: list[str]
) -> list[T]:
    parsed = []
    failed = 0
    for value in values:
        try:
            parsed.append(parse(value))
        except DecodeError:
            failed += 1
    if failed:
        damage.append(f"{what} has {failed} elements that cannot be read.")
    return parsed

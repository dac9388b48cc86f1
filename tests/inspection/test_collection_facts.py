"""Tests of hubmodule.inspection.collection_facts."""

from __future__ import annotations

import hashlib
import sys

import pytest

from hubmodule import image_module_info_pb2, module_attachment_pb2
from hubmodule.inspection import collection_facts
from hubmodule.inspection.facts import MessageFacts
from tests.inspection.modules import meta_graph


def sha256(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def attachment(key: str, value: bytes) -> bytes:
    return module_attachment_pb2.ModuleAttachment(key=key, value=value).SerializeToString()


def test_a_damaged_element_leaves_the_others() -> None:
    graph, damage = meta_graph(), []
    graph.collection_def["variables"].bytes_list.value.append(b"\xff")
    (variable,) = collection_facts.read_variables(graph, "variables", damage)
    assert variable.variable_name == "x/w:0"
    assert damage == ["collection 'variables' has 1 elements that cannot be read."]


def test_assets() -> None:
    damage: list[str] = []
    assert collection_facts.read_asset_files(meta_graph(), damage) == {"x/path:0": "words.txt"}
    assert damage == []


def test_messages() -> None:
    graph, damage = meta_graph(), []
    info = image_module_info_pb2.ImageModuleInfo()
    info.default_image_size.height, info.default_image_size.width = 6, 4
    values = graph.collection_def["hub_module_attachments"].bytes_list.value
    values.append(attachment("labels", b"one"))
    values.append(attachment("image_module_info", info.SerializeToString()))
    values.append(attachment("labels", b"three"))
    values.append(b"\xff")
    assert collection_facts.read_messages(graph, damage) == (
        MessageFacts(
            "image_module_info", 6, sha256(info.SerializeToString()), {"height": 6, "width": 4}
        ),
        MessageFacts("labels", 5, sha256(b"three")),
    )
    assert damage == ["an attached message has 1 elements that cannot be read."]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

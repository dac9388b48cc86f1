"""attachments: messages by key, as the collection of a MetaGraph."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.errors import ModuleFormatError
from hubmodule.format import attachments

COLLECTION = "hub_module_attachments"


@given(st.dictionaries(st.from_regex(r"[a-z_]\w*", fullmatch=True), st.binary()))
def test_what_is_written_is_read(messages):
    graph = MetaGraphDef()
    attachments.write_in_place(graph, messages)
    assert attachments.read(graph) == messages


def test_the_bytes_are_those_of_the_format():
    graph = MetaGraphDef()
    attachments.write_in_place(graph, {"b": b"\1", "a": b""})
    values = graph.collection_def[COLLECTION].bytes_list.value
    assert list(values) == [b"\x0a\x01a", b"\x0a\x01b\x12\x01\x01"]


def test_the_last_message_under_a_key_wins():
    graph = MetaGraphDef()
    attachments.write_in_place(graph, {"key": b"first"})
    attachments.write_in_place(graph, {"key": b"last"})
    assert attachments.read(graph) == {"key": b"last"}


def test_no_messages_make_no_collection():
    graph = MetaGraphDef()
    attachments.write_in_place(graph, {})
    assert attachments.read(graph) == {}
    assert not graph.collection_def


def test_damage_is_named():
    graph = MetaGraphDef()
    graph.collection_def[COLLECTION].bytes_list.value.append(b"\x0a\x7f")
    with pytest.raises(ModuleFormatError, match="attached to the module is damaged"):
        attachments.read(graph)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

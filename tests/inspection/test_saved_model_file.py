"""Tests of hubmodule.inspection.saved_model_file."""

from __future__ import annotations

import sys
from pathlib import Path

import hypothesis
import pytest
from google.protobuf import text_format
from hypothesis import strategies
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from hubmodule.errors import NotAModuleError
from hubmodule.inspection.saved_model_file import parse_binary, parse_text, read_saved_model
from tests.inspection.modules import golden, meta_graph

WHOLE = SavedModel(meta_graphs=[meta_graph(), meta_graph({"train"}, "y")])
CONTENT = WHOLE.SerializeToString()


def test_a_whole_file() -> None:
    file = parse_binary(CONTENT)
    assert (file.saved_model, file.bytes, file.damage) == (WHOLE, len(CONTENT), ())


def test_a_file_that_is_cut_off_gives_what_comes_before() -> None:
    file = parse_binary(CONTENT[:-1])
    first, second = file.saved_model.meta_graphs
    assert first == WHOLE.meta_graphs[0]
    assert len(second.graph_def.node) == 5
    assert file.damage
    assert all(text.startswith("saved_model.pb is damaged: ") for text in file.damage)


def test_one_damaged_node_leaves_the_others() -> None:
    # The name of the second node is not UTF-8 any more.
    damaged = CONTENT.replace(b"\n\x03x/w", b"\n\x03\xff/w", 1)
    file = parse_binary(damaged)
    names = [node.name for node in file.saved_model.meta_graphs[0].graph_def.node]
    assert {"x", "x/path", "x/table", "x/fill"} <= set(names)
    assert file.damage == (
        "saved_model.pb is damaged: meta_graphs.graph_def.node.name cannot be read.",
    )


@hypothesis.given(
    strategies.lists(
        strategies.tuples(strategies.integers(0, len(CONTENT) - 1), strategies.integers(0, 255)),
        max_size=4,
    ),
    strategies.integers(0, len(CONTENT)),
)
def test_any_damage_is_told(changes: list[tuple[int, int]], length: int) -> None:
    content = bytearray(CONTENT)
    for place, byte in changes:
        content[place] = byte
    file = parse_binary(bytes(content[:length]))
    assert file.saved_model.ByteSize() <= 2 * len(content)
    assert len(file.damage) <= 21


def test_text() -> None:
    file = parse_text(text_format.MessageToString(WHOLE).encode())
    assert (file.saved_model, file.damage) == (WHOLE, ())


@pytest.mark.parametrize("content", [b"meta_graphs {", b"\xff\xff", b"meta_graphs: 1"])
def test_damaged_text(content: bytes) -> None:
    (damage,) = parse_text(content).damage
    assert damage.startswith("saved_model.pbtxt is damaged: ")


def test_reading_a_directory(tmp_path: Path) -> None:
    assert len(read_saved_model(golden("batch_norm")).saved_model.meta_graphs) == 2
    (tmp_path / "saved_model.pbtxt").write_text(text_format.MessageToString(WHOLE))
    assert read_saved_model(str(tmp_path)).saved_model == WHOLE


def test_a_directory_without_a_saved_model(tmp_path: Path) -> None:
    with pytest.raises(NotAModuleError, match="contains neither"):
        read_saved_model(str(tmp_path))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

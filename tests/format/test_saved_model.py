"""saved_model: the directory of a module as a whole, and what must not be in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import tensorflow as tf
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from hubmodule.errors import (
    HubModuleError,
    ModuleDefinitionError,
    ModuleFormatError,
    NotAModuleError,
)
from hubmodule.format import saved_model
from hubmodule.surgery.state import build_restore_graph
from tests.surgery.protos import meta_graph, nodes_of

v1 = tf.compat.v1

TWO_VARIANTS = """
    meta_graphs { meta_info_def { tags: "train" } graph_def { node { name: "a" op: "NoOp" } } }
    meta_graphs { graph_def { node { name: "b" op: "NoOp" } } }"""


def two_variants() -> SavedModel:
    return text_format.Parse(TWO_VARIANTS, SavedModel())


def lookup_graph(*vocabularies: str) -> MetaGraphDef:
    """A graph with a table per vocabulary, one of them used in a function."""
    with tf.Graph().as_default() as graph:
        tables = [
            tf.lookup.StaticHashTable(
                tf.lookup.TextFileInitializer(
                    path, tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
                ),
                -1,
            )
            for path in vocabularies
        ]
        words = v1.placeholder(tf.string, [None])
        tf.function(lambda x: tables[-1].lookup(x))(words)
        return v1.train.export_meta_graph(graph=graph)


def write(directory: Path, graphs: list[MetaGraphDef]) -> None:
    saved_model.write(str(directory), saved_model.encode(graphs))


def all_bytes(directory) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


@pytest.fixture
def vocabularies(tmp_path):
    """Two files of one name."""
    paths = []
    for folder, text in (("author1", "x\ny\n"), ("author2", "z\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "vocab.txt").write_text(text)
        paths.append(str(tmp_path / folder / "vocab.txt"))
    return paths


@pytest.fixture
def module(tmp_path):
    directory = tmp_path / "m"
    directory.mkdir()
    return directory


class TestRead:
    def test_all_variants_of_a_binary_file(self, module):
        (module / "saved_model.pb").write_bytes(two_variants().SerializeToString())
        graphs = saved_model.read(str(module))
        assert [list(graph.meta_info_def.tags) for graph in graphs] == [["train"], []]

    def test_all_variants_of_a_text_file(self, module):
        (module / "saved_model.pbtxt").write_text(TWO_VARIANTS)
        assert saved_model.read(str(module)) == list(two_variants().meta_graphs)

    def test_the_binary_file_goes_before_the_text(self, module):
        (module / "saved_model.pb").write_bytes(two_variants().SerializeToString())
        (module / "saved_model.pbtxt").write_text("not looked at")
        assert len(saved_model.read(str(module))) == 2

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("saved_model.pb", b"<html>404</html>"),
            ("saved_model.pb", two_variants().SerializeToString()[:-3]),
            ("saved_model.pbtxt", b"meta_graphs {"),
            ("saved_model.pbtxt", b"of_tomorrow: 1"),
            ("saved_model.pbtxt", b"\xff\xfe"),
        ],
    )
    def test_a_damaged_file_is_named(self, module, name, content):
        (module / name).write_bytes(content)
        with pytest.raises(ModuleFormatError, match=f"SavedModel in {module} is damaged"):
            saved_model.read(str(module))

    @pytest.mark.parametrize("name", ["saved_model.pb", "saved_model.pbtxt"])
    def test_a_directory_in_the_place_of_the_file(self, module, name):
        (module / name).mkdir()
        with pytest.raises(ModuleFormatError, match=f"SavedModel in {module} is damaged"):
            saved_model.read(str(module))

    @pytest.mark.parametrize("name", ["saved_model.pb", "saved_model.pbtxt"])
    def test_an_empty_file_has_no_graphs(self, module, name):
        (module / name).write_bytes(b"")
        with pytest.raises(ModuleFormatError, match="has no graphs"):
            saved_model.read(str(module))

    def test_without_a_file_it_is_incomplete_or_something_else(self, module):
        with pytest.raises(
            NotAModuleError, match=r"contains neither saved_model\.pb nor saved_model\.pbtxt"
        ):
            saved_model.read(str(module))


@given(st.data())
def test_damage_anywhere_is_no_foreign_error(tmp_path_factory, data):
    """Whatever byte is changed, the file is read, or refused by an error of this package."""
    graph = meta_graph("""
        graph_def { node { name: "a" op: "Const" } }
        collection_def { key: "asset_filepaths" value { node_list { value: "a:0" } } }""")
    entry = graph.collection_def["saved_model_assets"].any_list.value.add()
    entry.value = b"\x0a\x05\x0a\x03a:0\x12\x05v.txt"
    content = bytearray(SavedModel(meta_graphs=[graph]).SerializeToString(deterministic=True))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] = data.draw(st.integers(0, 255))
    directory = tmp_path_factory.getbasetemp() / "damaged"
    directory.mkdir(exist_ok=True)
    (directory / "saved_model.pb").write_bytes(content)
    try:
        graphs = saved_model.read(str(directory))
    except HubModuleError:
        return
    assert len(graphs) >= 1


class TestWrite:
    def test_what_is_written_is_read(self, module, vocabularies):
        write(module, [lookup_graph(*vocabularies), MetaGraphDef()])
        lookup, _ = saved_model.read(str(module))
        nodes = nodes_of(lookup.graph_def)
        assets = [
            tf.make_ndarray(nodes[name.partition(":")[0]].attr["value"].tensor).item().decode()
            for name in lookup.collection_def["asset_filepaths"].node_list.value
        ]
        assert assets == [f"{module}/assets/vocab.txt", f"{module}/assets/vocab_1.txt"]
        assert [Path(path).read_text() for path in assets] == ["x\ny\n", "z\n"]

    def test_variants_share_their_assets(self, module, vocabularies):
        graphs = [lookup_graph(*vocabularies), lookup_graph(*reversed(vocabularies))]
        write(module, graphs)
        assert sorted(p.name for p in (module / "assets").iterdir()) == ["vocab.txt", "vocab_1.txt"]

    def test_the_same_graphs_give_the_same_bytes(self, module, tmp_path, vocabularies):
        (tmp_path / "again").mkdir()
        graph = lookup_graph(*vocabularies)
        for directory in (module, tmp_path / "again"):
            write(directory, [graph])
        assert all_bytes(module) == all_bytes(tmp_path / "again")

    def test_the_graphs_are_not_changed(self, module, vocabularies):
        graph = lookup_graph(*vocabularies)
        before = MetaGraphDef()
        before.CopyFrom(graph)
        write(module, [graph])
        assert graph == before

    def test_a_missing_asset_is_an_error(self, module):
        graph = meta_graph("""
            graph_def { node { name: "a" op: "Const" attr { key: "value" value { tensor {
                dtype: DT_STRING tensor_shape { } string_val: "/missing/v" } } } } }
            collection_def { key: "asset_filepaths" value { node_list { value: "a:0" } } }""")
        with pytest.raises(ModuleDefinitionError, match="/missing/v"):
            write(module, [graph])


class TestNothingOfTheAuthor:
    def test_no_path_of_an_asset_is_left(self, module, vocabularies, tmp_path):
        write(module, [lookup_graph(*vocabularies)])
        assert b"author" not in all_bytes(module)
        assert str(tmp_path).encode() not in all_bytes(module)

    def test_no_path_of_a_read_asset_is_left(self, module, vocabularies, tmp_path):
        write(module, [lookup_graph(*vocabularies)])
        again = tmp_path / "again"
        again.mkdir()
        write(again, saved_model.read(str(module)))
        assert str(tmp_path).encode() not in all_bytes(again)
        assert all_bytes(again) == all_bytes(module)

    def test_no_path_of_a_nested_checkpoint_is_left(self, module):
        graph = MetaGraphDef(
            graph_def=build_restore_graph([], "/home/author/nested/variables", "restore", "nested/")
        )
        write(module, [graph])
        assert b"author" not in all_bytes(module)

    def test_no_device_and_no_source_file_is_left(self, module):
        graph = meta_graph("""graph_def {
            node { name: "a" op: "NoOp" device: "/job:author"
                   experimental_debug_info { original_node_names: "author" } }
            library { function { signature { name: "f" } node_def {
                name: "b" op: "NoOp" device: "/job:author"
                experimental_debug_info { original_func_names: "author" } } } } }""")
        write(module, [graph])
        assert b"author" not in all_bytes(module)

    def test_no_name_of_this_file_is_left(self, module, vocabularies):
        write(module, [lookup_graph(*vocabularies)])
        assert b".py" not in all_bytes(module)


def test_variables_are_where_tensorflow_looks_for_them(module):
    tf.saved_model.save(tf.train.Checkpoint(v=tf.Variable(2.5)), str(module))
    reader = tf.train.load_checkpoint(saved_model.get_checkpoint_prefix(str(module)))
    assert reader.get_tensor("v/.ATTRIBUTES/VARIABLE_VALUE") == 2.5


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

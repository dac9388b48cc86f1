"""assets: constants in a graph, files on disk."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.errors import HubModuleError, ModuleDefinitionError, ModuleFormatError
from hubmodule.format import assets
from tests.growth import grows_linearly
from tests.surgery.protos import meta_graph, nodes_of


def graph_with_assets(**paths: str) -> MetaGraphDef:
    """A graph in memory: op -> the path that it holds."""
    graph = MetaGraphDef()
    for name, path in paths.items():
        node = graph.graph_def.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(path, tf.string))
        graph.collection_def["asset_filepaths"].node_list.value.append(f"{name}:0")
    return graph


def on_disk(**files: str) -> MetaGraphDef:
    """A graph off disk: op -> the file in assets/; the constants are blank."""
    graph = graph_with_assets(**dict.fromkeys(files, ""))
    assets.declare_files_in_place(graph, {f"{op}:0": op for op in files}, files)
    return graph


def path_in(graph: MetaGraphDef, op: str) -> str:
    node = nodes_of(graph.graph_def)[op]
    return tf.make_ndarray(node.attr["value"].tensor).item().decode()


class TestLocate:
    def test_constants_point_into_the_directory(self):
        graph = on_disk(a="vocab.txt", b="sub/more.txt")
        assets.locate_in_place(graph, "/m")
        assert path_in(graph, "a") == "/m/assets/vocab.txt"
        assert path_in(graph, "b") == "/m/assets/sub/more.txt"

    def test_the_collection_of_the_disk_is_gone(self):
        graph = on_disk(a="vocab.txt")
        assets.locate_in_place(graph, "/m")
        assert set(graph.collection_def) == {"asset_filepaths"}

    def test_sources_finds_what_was_located(self):
        graph = on_disk(a="vocab.txt")
        assets.locate_in_place(graph, "gs://bucket/m")
        assert assets.find_sources(graph) == {"a:0": "gs://bucket/m/assets/vocab.txt"}

    def test_sources_finds_assets_that_were_in_no_collection_of_paths(self):
        graph = on_disk(a="vocab.txt")
        del graph.collection_def["asset_filepaths"]
        assets.locate_in_place(graph, "/m")
        assert assets.find_sources(graph) == {"a:0": "/m/assets/vocab.txt"}

    def test_a_graph_without_assets_stays_as_it_is(self):
        graph = meta_graph('graph_def { node { name: "a" op: "NoOp" } }')
        assets.locate_in_place(graph, "/m")
        assert graph == meta_graph('graph_def { node { name: "a" op: "NoOp" } }')

    def test_assets_of_ops_that_are_gone_are_passed_over(self):
        graph = on_disk(a="vocab.txt")
        del graph.graph_def.node[:]
        del graph.collection_def["asset_filepaths"]
        assets.locate_in_place(graph, "/m")
        assert assets.find_sources(graph) == {}

    @pytest.mark.parametrize("name", ["../x", "/etc/passwd", "gs://other/x", "a/../../x", ""])
    def test_a_name_that_leaves_assets_is_refused(self, name):
        graph = on_disk(a=name)
        with pytest.raises(ModuleFormatError, match="points outside of /m/assets"):
            assets.locate_in_place(graph, "/m")

    @given(st.lists(st.sampled_from(["..", ".", "", "a", "C:", "gs:", "..."])).map("/".join))
    def test_no_constant_ever_points_elsewhere(self, name):
        graph = on_disk(a=name)
        try:
            assets.locate_in_place(graph, "/m")
        except HubModuleError:
            assert path_in(graph, "a") == ""
            return
        path = path_in(graph, "a")
        assert path.startswith("/m/assets/")
        assert ".." not in path.split("/")

    def test_only_a_constant_has_a_file(self):
        graph = on_disk(a="vocab.txt")
        graph.graph_def.node[0].op = "Identity"
        with pytest.raises(ModuleFormatError, match=r"'a' of type Identity the file 'vocab\.txt'"):
            assets.locate_in_place(graph, "/m")

    def test_a_damaged_entry_is_named(self):
        graph = on_disk(a="vocab.txt")
        graph.collection_def["saved_model_assets"].any_list.value[0].value = b"\x0a\x7f"
        with pytest.raises(ModuleFormatError, match="asset entry of the module is damaged"):
            assets.locate_in_place(graph, "/m")


class TestSources:
    def test_gives_the_paths_by_tensor(self):
        graph = graph_with_assets(a="/x/v.txt", b="/y/v.txt")
        assert assets.find_sources(graph) == {"a:0": "/x/v.txt", "b:0": "/y/v.txt"}

    def test_a_path_that_is_computed_is_refused(self):
        graph = graph_with_assets(a="/x/v.txt")
        graph.graph_def.node[0].op = "StringJoin"
        with pytest.raises(ModuleDefinitionError, match=r"Asset 'a:0' is made by .* StringJoin"):
            assets.find_sources(graph)

    @pytest.mark.parametrize(
        ("value", "description"),
        [(3, r"int32 and shape \(\)"), (["/x/v.txt"], r"string and shape \(1,\)")],
    )
    def test_what_is_not_one_string_is_refused(self, value, description):
        graph = graph_with_assets(a="")
        graph.graph_def.node[0].attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        with pytest.raises(ModuleDefinitionError, match=f"Asset 'a:0' is a .* {description}"):
            assets.find_sources(graph)


class TestNamed:
    def test_files_keep_their_names(self):
        assert assets.name_files(["/x/v.txt", "gs://b/w"]) == {"/x/v.txt": "v.txt", "gs://b/w": "w"}

    def test_files_of_one_name_get_numbers(self):
        paths = ["/x/v.txt", "/y/v.txt", "/z/v.txt", "/z/v_1.txt"]
        assert list(assets.name_files(paths).values()) == [
            "v.txt",
            "v_1.txt",
            "v_2.txt",
            "v_1_1.txt",
        ]

    def test_a_file_that_is_used_twice_is_one(self):
        assert assets.name_files(["/x/v.txt", "/x/v.txt"]) == {"/x/v.txt": "v.txt"}

    def test_windows_paths_have_base_names_too(self):
        assert assets.name_files(["C:\\x\\v.txt"]) == {"C:\\x\\v.txt": "v.txt"}

    FILES = st.text("av_1.:", min_size=1).filter(lambda name: name not in (".", ".."))

    @given(st.lists(st.tuples(st.sampled_from("xy"), FILES).map("/".join), unique=True))
    def test_names_differ_and_can_be_loaded(self, paths):
        names = assets.name_files(paths)
        assert len(set(names.values())) == len(paths)
        graph = on_disk(**{f"n{i}": name for i, name in enumerate(names.values())})
        assets.locate_in_place(graph, "/m")
        assert list(assets.find_sources(graph).values()) == [
            f"/m/assets/{n}" for n in names.values()
        ]


class TestDeclared:
    def test_says_which_file_belongs_to_which_tensor(self):
        graph = graph_with_assets(a="/x/v.txt")
        assets.declare_files_in_place(graph, {"a:0": "/x/v.txt"}, {"/x/v.txt": "v.txt"})
        [entry] = graph.collection_def["saved_model_assets"].any_list.value
        assert entry.type_url == "type.googleapis.com/tensorflow.AssetFileDef"
        assert entry.value == b"\x0a\x05\x0a\x03a:0\x12\x05v.txt"


class TestCopy:
    def test_files_arrive_under_their_names(self, tmp_path):
        for folder in "xy":
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "v").write_text(folder)
        paths = [str(tmp_path / folder / "v") for folder in "xy"]
        assets.copy_files(assets.name_files(paths), str(tmp_path / "m"))
        copied = {path.name: path.read_text() for path in (tmp_path / "m/assets").iterdir()}
        assert copied == {"v": "x", "v_1": "y"}

    def test_without_assets_there_is_no_folder(self, tmp_path):
        assets.copy_files({}, str(tmp_path))
        assert list(tmp_path.iterdir()) == []

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(ModuleDefinitionError, match=r"Asset '/missing/v\.txt' .* any more"):
            assets.copy_files({"/missing/v.txt": "v.txt"}, str(tmp_path))

    def test_a_folder_is_no_asset(self, tmp_path):
        (tmp_path / "folder").mkdir()
        with pytest.raises(ModuleDefinitionError, match="folder' of the module is not a file"):
            assets.copy_files({str(tmp_path / "folder"): "folder"}, str(tmp_path))


def test_the_time_to_name_assets_of_one_base_name_grows_with_their_number():
    def make_call(count):
        paths = [f"/{index}/vocab.txt" for index in range(count)]
        return lambda: assets.name_files(paths)

    assert grows_linearly(make_call, 50)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of hubmodule.auditing.inputs."""

from __future__ import annotations

import pathlib
import sys

import pytest

from hubmodule.auditing.graphs import Program
from hubmodule.auditing.inputs import Inputs
from hubmodule.auditing.module_files import ModuleFiles
from hubmodule.auditing.names import Name, Source
from tests.auditing.protos import MetaGraphDef, constant, function, meta_graph, placeholder

ASSET = Name(Source.ASSET, "assets/v.txt")


def inputs_of(graph: MetaGraphDef, directory: str = "/m") -> Inputs:
    return Inputs(graph, Program(graph).graph, directory, ModuleFiles(directory))


def test_inputs_of_signatures_are_fed() -> None:
    graph = meta_graph([placeholder("x")], {"words": "x:0"}, {"default": "x:0"})
    assert inputs_of(graph).feeds == {"x": "input 'words' of signature 'default'"}


def test_assets_are_constants_and_placeholders_that_callers_do_not_feed() -> None:
    nodes = [constant("c", ""), placeholder("p"), placeholder("x")]
    assets = {f"{name}:0": "v.txt" for name in ("c", "p", "x", "missing")}
    graph = meta_graph(nodes, {"x": "x:0"}, {"default": "c:0"}, assets=assets)
    assert inputs_of(graph).assets == {"c": ASSET, "p": ASSET}


def test_a_part_may_get_less() -> None:
    graph = meta_graph(
        [constant("c", ""), placeholder("p")], assets={"c:0": "v.txt", "p:0": "v.txt"}
    )
    graph.saver_def.filename_tensor_name = "path:0"
    inputs = inputs_of(graph)
    assert inputs.select(with_checkpoint=True, with_assets=True).checkpoint == "path"
    less = inputs.select(with_checkpoint=False, with_assets=False)
    assert (less.checkpoint, less.assets) == ("", {"p": ASSET})
    assert inputs.assets == {"c": ASSET, "p": ASSET}


def test_captures() -> None:
    graph = meta_graph([], functions=[function("f", {}, [], {})])
    graph.asset_file_def.add(filename="v.txt")
    objects = graph.object_graph_def
    objects.nodes.add().asset.asset_file_def_index = 0
    objects.nodes.add().constant.operation = "c"
    objects.nodes.add().variable.SetInParent()
    objects.nodes.add().asset.asset_file_def_index = 5
    objects.concrete_functions["f"].bound_inputs.extend([0, 1, 2, 3, 4])
    [asset, node, *rest] = inputs_of(graph).captures["f"]
    assert (asset, node) == (ASSET, "c")
    assert [name.source for name in rest if isinstance(name, Name)] == [Source.COMPUTED] * 3


def test_a_link_to_another_file_is_that_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "m" / "assets").mkdir(parents=True)
    (tmp_path / "m" / "assets" / "v.txt").symlink_to(tmp_path / "other")
    inputs = inputs_of(meta_graph([constant("c", "")], assets={"c:0": "v.txt"}), f"{tmp_path}/m")
    other = str((tmp_path / "other").resolve())
    assert inputs.assets == {"c": Name(Source.CONSTANT, other)}
    assert inputs.links == {other: "assets/v.txt"}


def test_damage() -> None:
    graph = meta_graph([constant("c", "")], assets={"c:0": "../../etc/passwd"})
    graph.collection_def["saved_model_assets"].any_list.value.add(value=b"\xff")
    inputs = inputs_of(graph)
    assert inputs.assets == {"c": Name(Source.CONSTANT, "/m/assets/../../etc/passwd")}
    assert len(inputs.damage) == 2


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

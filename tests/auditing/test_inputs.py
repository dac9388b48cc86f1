"""Tests of hubmodule.auditing.inputs."""

from __future__ import annotations

import pathlib
import sys

import pytest

from hubmodule.auditing.graphs import Program
from hubmodule.auditing.inputs import Inputs
from hubmodule.auditing.module_files import ModuleFiles
from hubmodule.auditing.names import Name, Source
from tests.auditing.protos import MetaGraphDef, constant, function, meta_graph, node, placeholder

ASSET = Name(Source.ASSET, "assets/v.txt")


def inputs_of(graph: MetaGraphDef, directory: str = "/m", is_module: bool = True) -> Inputs:
    return Inputs(graph, Program(graph).graph, directory, ModuleFiles(directory), is_module)


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


@pytest.mark.parametrize(
    ("is_module", "is_tf2", "declared", "expected"),
    [
        (True, False, "c:0", {"d": ASSET}),  # only loaders of SavedModels read the field
        (False, False, "c:0", {}),  # hub.create_module_spec_from_saved_model() does not
        (False, True, "c:0", {"c": ASSET}),
        (False, False, "d:0", {"d": ASSET}),
        (True, False, "", {"d": ASSET}),
        (False, False, "", {"d": ASSET}),
    ],
)
def test_an_asset_is_what_every_loader_takes_for_one(
    is_module: bool, is_tf2: bool, declared: str, expected: dict[str, Name]
) -> None:
    nodes = [constant("c", "/etc/passwd"), constant("d", "")]
    graph = meta_graph(nodes, assets={"d:0": "v.txt"})
    if declared:
        graph.asset_file_def.add(filename="v.txt").tensor_info.name = declared
    if is_tf2:
        graph.object_graph_def.SetInParent()
    assert inputs_of(graph, is_module=is_module).assets == expected


def test_captures() -> None:
    nodes = [constant("c", ["/a", "/b"]), node("lower", "StringLower", "c")]
    nodes[1].attr["value"].CopyFrom(constant("v", "/v").attr["value"])
    graph = meta_graph(nodes, functions=[function("f", {}, [], {})], assets={"c:0": "v.txt"})
    graph.asset_file_def.add(filename="v.txt")
    objects = graph.object_graph_def
    objects.nodes.add().asset.asset_file_def_index = 0
    objects.nodes.add().constant.operation = "c"
    objects.nodes.add().variable.SetInParent()
    objects.nodes.add().asset.asset_file_def_index = 5
    objects.nodes.add().constant.operation = "lower"
    objects.nodes.add().constant.operation = "missing"
    objects.nodes.add(registered_name="tf.TrackableConstant").asset.asset_file_def_index = 0
    objects.nodes.add(registered_name="Custom.Mine").constant.operation = "c"
    objects.concrete_functions["f"].bound_inputs.extend(range(9))
    inputs = inputs_of(graph)
    [asset, values, _, _, value, *rest] = inputs.captures["f"]
    assert asset == [ASSET]
    # The loader reads the attribute of the node, and writes no asset there.
    assert values == [Name(Source.CONSTANT, "/a"), Name(Source.CONSTANT, "/b")]
    assert value == [Name(Source.CONSTANT, "/v")]
    assert [name.source for names in rest for name in names] == [Source.COMPUTED] * 4
    assert list(inputs.odd_constants) == ["lower"]


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

"""Modules written by tensorflow_hub on TensorFlow 2.15 and 1.15 mean the same to hubmodule.

What a module computes, what a training step does to it, and what a program sees of it was
recorded when it was written; hubmodule must show the same.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tensorflow.compat.v1 as tf

import hubmodule as hub
from tests.golden import observe, recordings, values
from tests.golden.definitions import DEFINITIONS, Call
from tests.golden.values import Value

HERE = Path(__file__).resolve().parent
WRITERS = ("made_by_tf215", "made_by_tf115")

each_module = pytest.mark.parametrize(
    ("writer", "name"), [(writer, name) for writer in WRITERS for name in DEFINITIONS]
)
_CALLS = [
    pytest.param(writer, name, call, id=f"{writer}-{name}-{recordings.call_name(call)}")
    for writer in WRITERS
    for name, definition in DEFINITIONS.items()
    for call in definition.calls
]
each_call = pytest.mark.parametrize(("writer", "name", "call"), _CALLS)
each_training_step = pytest.mark.parametrize(
    ("writer", "name", "call"), [param for param in _CALLS if param.values[2].trained]
)


def _recorded_call(writer: str, name: str, call: Call) -> tuple[Call, Mapping[str, Value]]:
    """The call with the inputs that were recorded, and the outputs."""
    inputs, outputs = recordings.load_call(recordings.outputs_file(HERE / writer, name, call))
    return call._replace(inputs=inputs), outputs


@functools.cache
def _recorded(writer: str, name: str) -> dict[str, Any]:
    return json.loads(recordings.description_file(HERE / writer, name).read_text())


@functools.cache
def _observed(writer: str, name: str) -> dict[str, Any]:
    spec = hub.load_module_spec(str(HERE / writer / name))
    return observe.description(hub, tf, spec, DEFINITIONS[name].calls)


def _of_variants(description: dict[str, Any], *keys: str) -> dict[str, Any]:
    """One part of the description of each variant, by its tags."""
    return {
        "-".join(variant["tags"]): functools.reduce(dict.__getitem__, keys, variant)
        for variant in description["variants"]
    }


@each_call
def test_outputs(writer: str, name: str, call: Call) -> None:
    call, outputs = _recorded_call(writer, name, call)
    spec = hub.load_module_spec(str(HERE / writer / name))
    assert values.differences(observe.outputs(hub, tf, spec, call), outputs) == {}


@each_training_step
def test_variables_after_a_training_step(writer: str, name: str, call: Call) -> None:
    recorded = values.load(recordings.training_file(HERE / writer, name, call))
    call, _ = _recorded_call(writer, name, call)
    spec = hub.load_module_spec(str(HERE / writer / name))
    assert values.differences(observe.training_step(hub, tf, spec, call), recorded) == {}


@each_module
@pytest.mark.parametrize("part", ["signatures", "attachments"])
def test_spec(writer: str, name: str, part: str) -> None:
    recorded = _of_variants(_recorded(writer, name), part)
    assert _of_variants(_observed(writer, name), part) == recorded


_COLLECTIONS = (
    "variables",
    "model_variables",
    "trainable_variables",
    "regularization_losses",
    "table_initializers",
    "asset_files",
)


@each_module
@pytest.mark.parametrize("trainable", ["frozen", "trainable"])
@pytest.mark.parametrize("collection", _COLLECTIONS)
def test_collections(writer: str, name: str, trainable: str, collection: str) -> None:
    recorded = _of_variants(_recorded(writer, name), trainable, collection)
    assert _of_variants(_observed(writer, name), trainable, collection) == recorded


@each_module
def test_variable_map(writer: str, name: str) -> None:
    recorded = _of_variants(_recorded(writer, name), "frozen", "variable_map")
    assert _of_variants(_observed(writer, name), "frozen", "variable_map") == recorded


@each_module
def test_update_ops(writer: str, name: str) -> None:
    assert _observed(writer, name)["update_ops"] == _recorded(writer, name)["update_ops"]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", ["dense_regularized", "dtypes", "twin_assets"])
def test_eval_function_for_module(writer: str, name: str) -> None:
    call, outputs = _recorded_call(writer, name, DEFINITIONS[name].calls[0])
    with hub.eval_function_for_module(str(HERE / writer / name)) as evaluate:
        fetched = evaluate(call.inputs, signature=call.signature, as_dict=True)
    seen = {key: values.from_session(value) for key, value in fetched.items()}
    assert values.differences(seen, outputs) == {}


@pytest.mark.parametrize("writer", WRITERS)
def test_image_size_comes_from_the_attachment(writer: str) -> None:
    spec = hub.load_module_spec(str(HERE / writer / "image"))
    assert hub.get_expected_image_size(spec) == [6, 4]
    assert hub.get_num_image_channels(spec) == 3


@pytest.mark.parametrize("writer", WRITERS)
def test_parts_of_a_variable_keep_their_slice_info(writer: str) -> None:
    with tf.Graph().as_default():
        module = hub.Module(str(HERE / writer / "partitioned"))
        slices = [part._get_save_slice_info() for part in module.variable_map["table/rows"]]
    assert [(info.var_offset, info.var_shape) for info in slices] == [
        ([0, 0], [3, 4]),
        ([3, 0], [2, 4]),
        ([5, 0], [2, 4]),
    ]
    assert {(info.full_name, tuple(info.full_shape)) for info in slices} == {
        ("module/table/rows", (7, 4))
    }


@pytest.mark.parametrize("writer", WRITERS)
def test_devices_of_the_author_are_gone(writer: str) -> None:
    """tensorflow_hub keeps them, on disk as well, and a session without a GPU refuses them."""
    with tf.Graph().as_default() as graph:
        hub.Module(str(HERE / writer / "placed"), trainable=True)([[1.0, 2.0]])
        assert {node.device for node in graph.as_graph_def().node} == {""}


@pytest.mark.parametrize("writer", WRITERS)
def test_assets_are_read_where_the_module_lies(writer: str) -> None:
    module_path = HERE / writer / "twin_assets"
    with tf.Graph().as_default() as graph, tf.Session() as session:
        hub.Module(str(module_path))
        paths = session.run(graph.get_collection(tf.GraphKeys.ASSET_FILEPATHS))
    assets = {str(module_path / "assets" / name) for name in ("words.txt", "words.txt0")}
    assert {path.decode() for path in paths} == assets


def test_readme_lists_every_module() -> None:
    readme = (HERE / "README.md").read_text()
    assert re.findall(r"^\| `([a-z0-9_]+)` \|", readme, re.MULTILINE) == list(DEFINITIONS)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

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
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

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
def _observed(writer: str, name: str) -> list[dict[str, Any]]:
    return observe.variants(hub, tf, hub.load_module_spec(str(HERE / writer / name)))


def _by_tags(variants: list[dict[str, Any]], *keys: str) -> dict[str, Any]:
    """One part of the description of each variant."""
    return {
        "-".join(variant["tags"]): functools.reduce(dict.__getitem__, keys, variant)
        for variant in variants
    }


@each_call
def test_outputs(writer: str, name: str, call: Call) -> None:
    call, outputs = _recorded_call(writer, name, call)
    spec = hub.load_module_spec(str(HERE / writer / name))
    assert values.differences(observe.outputs(hub, tf, spec, call), outputs) == {}


@each_call
def test_static_shapes_keep_what_the_signature_says(writer: str, name: str, call: Call) -> None:
    """A caller's next layer needs them, also where only Python code had set them."""
    spec = hub.load_module_spec(str(HERE / writer / name))
    infos = spec.get_output_info_dict(call.signature, set(call.tags))
    shapes = observe.static_shapes(hub, tf, spec, call)
    refined = {key: infos[key].get_shape().merge_with(shape) for key, shape in shapes.items()}
    assert {key: str(shape) for key, shape in shapes.items()} == {
        key: str(shape) for key, shape in refined.items()
    }


@each_training_step
def test_variables_after_a_training_step(writer: str, name: str, call: Call) -> None:
    recorded = values.load(recordings.training_file(HERE / writer, name, call))
    call, _ = _recorded_call(writer, name, call)
    spec = hub.load_module_spec(str(HERE / writer / name))
    assert values.differences(observe.training_step(hub, tf, spec, call), recorded) == {}


@each_module
@pytest.mark.parametrize("part", ["signatures", "attachments"])
def test_spec(writer: str, name: str, part: str) -> None:
    recorded = _by_tags(_recorded(writer, name)["variants"], part)
    assert _by_tags(_observed(writer, name), part) == recorded


_CONTROL_FLOW_V2 = DEFINITIONS["control_flow_v2"].calls[0]
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
    recorded = _by_tags(_recorded(writer, name)["variants"], trainable, collection)
    assert _by_tags(_observed(writer, name), trainable, collection) == recorded


@each_module
def test_variable_map(writer: str, name: str) -> None:
    recorded = _by_tags(_recorded(writer, name)["variants"], "frozen", "variable_map")
    assert _by_tags(_observed(writer, name), "frozen", "variable_map") == recorded


@each_call
def test_update_ops(writer: str, name: str, call: Call) -> None:
    recorded = _recorded(writer, name)["update_ops"][recordings.call_name(call)]
    spec = hub.load_module_spec(str(HERE / writer / name))
    assert observe.update_ops(hub, tf, spec, call) == recorded


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


def _function_names(module_path: Path) -> set[str]:
    saved_model = SavedModel.FromString((module_path / "saved_model.pb").read_bytes())
    library = saved_model.meta_graphs[0].graph_def.library
    return {function.signature.name for function in library.function}


def test_functions_of_the_same_name_meet_in_one_graph() -> None:
    """Programs name functions by counting, so two versions of a module often share names."""
    paths = [HERE / writer / "control_flow_v2" for writer in WRITERS]
    assert set.intersection(*map(_function_names, paths))
    calls = [_recorded_call(w, "control_flow_v2", _CONTROL_FLOW_V2) for w in WRITERS]
    with tf.Graph().as_default(), tf.Session() as session:
        modules = [hub.Module(str(path)) for path in paths]
        fetches = [
            module(call.inputs, as_dict=True)
            for module, (call, _) in zip(modules, calls, strict=True)
        ]
        observe.initialize(tf, session)
        fetched = session.run(fetches)
    for outputs, (_, recorded) in zip(fetched, calls, strict=True):
        assert values.differences(outputs, recorded) == {}


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

"""loading: from a handle to a directory and a spec."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import ModuleDefinitionError, NotAModuleError
from hubmodule.estimator import feature_columns
from hubmodule.format.directory import Directory
from hubmodule.module import loading
from hubmodule.tf2.convert import convert
from tests.module.graphs import affine, exported


def make_module_in_graph(path: str) -> None:
    with tf.Graph().as_default():
        hub.Module(path)


def convert_to_saved_model(path: str) -> None:
    convert(path, f"{path}-converted")


WAYS: dict[str, Callable[[str], Any]] = {
    "Module": make_module_in_graph,
    "load_module_spec": hub.load_module_spec,
    "create_module_spec_from_saved_model": hub.create_module_spec_from_saved_model,
    "load": hub.load,
    "convert": convert_to_saved_model,
    "KerasLayer": lambda path: hub.KerasLayer(path),
    "text_embedding_column": lambda path: feature_columns.text_embedding_column("key", path),
    "text_embedding_column_v2": lambda path: hub.text_embedding_column_v2("key", path),
}


class RefusedError(Exception):
    """What the check in a test raises."""


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_load_finds_the_directory_here(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = exported(tmp_path / "m", affine)

    def refuse(directory: str) -> Directory:
        raise RefusedError(directory)

    monkeypatch.setattr(loading, "inspect_directory", refuse)
    with pytest.raises(RefusedError, match=path):
        WAYS[way](path)


def test_a_plain_saved_model_is_no_spec(tmp_path: Path) -> None:
    tf.saved_model.save(tf.train.Checkpoint(), str(tmp_path))
    assert loading.find_directory(tmp_path) == Directory(str(tmp_path), is_module=False)
    with pytest.raises(NotAModuleError, match=r"tfhub_module\.pb is missing.*hub\.load\(\)"):
        loading.load_module_spec(tmp_path)


def test_a_spec_is_taken_as_it_is(tmp_path: Path) -> None:
    spec = loading.convert_to_spec(exported(tmp_path / "m", affine))
    assert loading.convert_to_spec(spec) is spec
    with pytest.raises(ModuleDefinitionError, match="Unknown module spec type"):
        loading.convert_to_spec(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("load", [make_module_in_graph, hub.load])
def test_a_variant_without_variables_needs_no_checkpoint(
    load: Callable[[str], Any], tmp_path: Path
) -> None:
    def define(trainable: bool) -> None:
        x = tf.compat.v1.placeholder(tf.float32, [None])
        y = tf.compat.v1.get_variable("w", []) * x if trainable else x
        hub.add_signature(inputs=x, outputs=y)

    variants = [(set(), {"trainable": False}), ({"train"}, {"trainable": True})]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(hub.create_module_spec(define, variants))
        module.export(str(tmp_path / "m"), session)
    load(str(tmp_path / "m"))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

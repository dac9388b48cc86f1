"""Tests of hubmodule.inspection.diff."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.inspection import checkpoint_files
from hubmodule.inspection.differences import Change, ValueChange
from tests.inspection.modules import ALL_GOLDEN, golden, meta_graph, write_module

tf1 = tf.compat.v1


def publish(directory: Path, value: float, width: int = 2, layers: int = 1) -> str:
    """Publishes a module with a variable "w" of a value, and a constant one."""

    def module_fn() -> None:
        x = tf1.placeholder(tf.float32, [None, 3])
        y = x
        for layer in range(layers):
            with tf1.variable_scope(f"layer_{layer}"):
                shape = [3, width] if layer == layers - 1 else [3, 3]
                y = y @ tf1.get_variable("w", shape, initializer=tf1.constant_initializer(value))
        fixed = tf1.get_variable("fixed", [2], initializer=tf1.ones_initializer())
        hub.add_signature(inputs=x, outputs={"default": y, "fixed": fixed + 0.0})

    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(tf1.global_variables_initializer())
        module.export(str(directory), session)
    return str(directory)


@pytest.mark.parametrize("path", ALL_GOLDEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_module_equals_itself(path: Path) -> None:
    found = hub.diff(path, path, weights=True)
    assert found.is_equal
    assert found.is_compatible
    assert found.cannot_restore == ()


def test_a_retrained_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = publish(tmp_path / "a", 1.0), publish(tmp_path / "b", 1.5)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint_files.StoredReader, "read", None)  # no value is read
        found = hub.diff(before, after)
    assert found.values == (ValueChange("layer_0/w"),)
    assert not found.is_equal
    assert found.is_compatible
    read = hub.diff(before, after, weights=True)
    assert read.values == (ValueChange("layer_0/w", 0.5, pytest.approx(0.5)),)


def test_an_incompatible_version(tmp_path: Path) -> None:
    found = hub.diff(publish(tmp_path / "a", 1.0), publish(tmp_path / "b", 1.0, 5, 2))
    assert found.signatures.changed == (
        Change(
            "default",
            "(default: float32 [?, 3]) -> (default: float32 [?, 2], fixed: float32 [2])",
            "(default: float32 [?, 3]) -> (default: float32 [?, 5], fixed: float32 [2])",
        ),
    )
    assert found.variables.added == ("layer_1/w",)
    (change,) = found.variables.changed
    assert change.name == "layer_0/w"
    assert found.incompatible == (
        "Output 'default' of signature 'default' is float32 [?, 5], not float32 [?, 2].",
    )
    assert len(found.cannot_restore) == 2
    assert {change.scope for change in found.ops} >= {"layer_1/"}


def test_assets_messages_and_variants(tmp_path: Path) -> None:
    before = write_module(tmp_path / "a", meta_graph(), meta_graph({"train"}, "y"))
    after = write_module(tmp_path / "b", meta_graph())
    (tmp_path / "b" / "assets" / "words.txt").write_text("other")
    (tmp_path / "b" / "assets" / "new.txt").write_text("new")
    found = hub.diff(before, after)
    assert found.variants.removed == ("train",)
    assert found.assets.added == ("new.txt",)
    assert [change.name for change in found.assets.changed] == ["words.txt"]
    messages = hub.diff(golden("image"), golden("dense_regularized")).messages
    assert messages.removed == ("image_module_info", "labels")


def test_damage_is_told(tmp_path: Path) -> None:
    shutil.copytree(golden("image"), tmp_path / "m")
    data = next((tmp_path / "m" / "variables").glob("*.data*"))
    data.write_bytes(data.read_bytes()[:-1])
    (damage,) = hub.diff(golden("image"), tmp_path / "m").damage
    assert damage.startswith(f"{tmp_path / 'm'}: variables/variables.data")


def test_tf2(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 3.0)):
        root = tf.Module()
        root.v = tf.Variable(np.float32([value, 2.0]), name="v")
        root.__call__ = tf.function(
            lambda x: x * 2.0, input_signature=[tf.TensorSpec([None], tf.float32)]
        )
        tf.saved_model.save(root, str(tmp_path / name))
    found = hub.diff(tmp_path / "a", tmp_path / "b", weights=True)
    assert found.values == (ValueChange("v", 2.0, pytest.approx(2 / 5**0.5)),)
    assert found.is_compatible
    assert (found.ops, found.signatures.changed) == ((), ())


def save_object(path: Path, outputs: tuple[str, ...], width: int | None = None) -> str:
    """A TF2 SavedModel whose object and method return the input under some names."""
    root = tf.Module()
    spec = [tf.TensorSpec([None, width], tf.float32)]
    root.__call__ = tf.function(lambda x: dict.fromkeys(outputs, x), input_signature=spec)
    root.encode = tf.function(lambda x: dict.fromkeys(outputs, x), input_signature=spec)
    tf.saved_model.save(root, str(path))
    return str(path)


def test_the_outputs_of_an_object_and_its_methods(tmp_path: Path) -> None:
    both = save_object(tmp_path / "both", ("a", "b"))
    one = save_object(tmp_path / "one", ("a",))
    assert hub.diff(one, both).is_compatible
    found = hub.diff(both, one)
    before, after = "{'a': float32 [?, ?], 'b': float32 [?, ?]}", "{'a': float32 [?, ?]}"
    assert found.calls.changed == (
        Change("__call__(x: float32 [?, ?])", before, after),
        Change("encode(x: float32 [?, ?])", before, after),
    )
    assert found.incompatible == (
        f"The object returns {after}, not {before}, for (x: float32 [?, ?]).",
        f"Method 'encode' returns {after}, not {before}, for (x: float32 [?, ?]).",
    )


def test_a_wider_argument_of_an_object(tmp_path: Path) -> None:
    narrow = save_object(tmp_path / "narrow", ("a",), width=3)
    wide = save_object(tmp_path / "wide", ("a",))
    (first, second) = hub.diff(wide, narrow).incompatible
    assert first == "The object cannot be called with (x: float32 [?, ?])."
    assert second == "Method 'encode' cannot be called with (x: float32 [?, ?])."


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

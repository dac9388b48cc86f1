"""Tests of hub.load."""

from __future__ import annotations

import gc
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import CheckpointError, NoSuchVariantError, NotAModuleError
from hubmodule.resolver import resolvers
from tests.module.graphs import affine, exported, initialised_session

GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"


@pytest.mark.parametrize("handle", [None, 5, b"path"])
def test_a_handle_is_a_string_or_a_path(handle: Any) -> None:
    with pytest.raises(ValueError, match="must be a string"):
        hub.load(handle)


def test_path_objects_are_handles() -> None:
    assert len(hub.load(GOLDEN / "batch_norm").variables) == 5


def test_the_query_of_an_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolvers, "resolve", lambda handle: str(GOLDEN / "batch_norm"))
    shown = repr(hub.load("https://h/m.tar.gz?X-Amz-Signature=SECRET"))
    assert shown.startswith("<hub.load('https://h/m.tar.gz'): module of the TF1 Hub format")
    assert "SECRET" not in shown


def test_what_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="does not exist"):
        hub.load(str(tmp_path / "absent"))


@pytest.mark.parametrize(
    "file, told",
    [
        ("model.index", "holds a checkpoint"),
        ("config.json", "Keras"),
        ("model.keras", "the Keras file model.keras"),
        ("tfhub/saved_model.pb", "deeper, in tfhub"),
        ("notes.txt", "There is notes.txt"),
    ],
)
def test_what_a_directory_holds_instead_is_told(file: str, told: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("")
    with pytest.raises(NotAModuleError, match=f"neither saved_model.pb .*{told}"):
        hub.load(str(tmp_path))


def test_an_empty_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotAModuleError, match="is empty"):
        hub.load(str(tmp_path))


@pytest.mark.parametrize(
    "file, told",
    [
        ("model.index", "part of a checkpoint"),
        ("model.data-00000-of-00001", "part of a checkpoint"),
        ("model.h5", "a Keras file"),
        ("saved_model.pb", "Pass the directory"),
    ],
)
def test_what_a_file_is_is_told(file: str, told: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text("")
    with pytest.raises(NotAModuleError, match=told):
        hub.load(str(tmp_path / file))


def test_the_prefix_of_a_checkpoint_is_told(tmp_path: Path) -> None:
    prefix = tf.train.Checkpoint(number=tf.Variable(3.0)).write(str(tmp_path / "model"))
    with pytest.raises(NotAModuleError, match="prefix of a checkpoint"):
        hub.load(prefix)


def test_graph_mode_says_that_load_fits_a_plain_saved_model(tmp_path: Path) -> None:
    tf.saved_model.save(tf.train.Checkpoint(), str(tmp_path))
    with tf.Graph().as_default(), pytest.raises(NotAModuleError, match=r"hub\.load"):
        hub.Module(str(tmp_path))


def test_plain_saved_models_are_loaded_as_they_are(tmp_path: Path) -> None:
    plain = tf.train.Checkpoint(number=tf.Variable(3.0))
    tf.saved_model.save(plain, str(tmp_path))
    assert hub.load(str(tmp_path)).number.numpy() == 3.0


@pytest.mark.parametrize("tags", [["train"], {"train"}, "train"])
def test_tags_choose_the_variant(tags: Any) -> None:
    """The train variant normalises a single row to the offset, whatever the row is."""
    module = hub.load(str(GOLDEN / "batch_norm"), tags=tags)
    found = [module([row]).numpy() for row in ([1.0, 2.0, 3.0], [0.0, 0.0, 0.0])]
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)


def test_unknown_tags_name_those_there_are() -> None:
    with pytest.raises(NoSuchVariantError, match="train"):
        hub.load(str(GOLDEN / "batch_norm"), tags={"absent"})


def test_tags_of_a_plain_saved_model(tmp_path: Path) -> None:
    tf.saved_model.save(tf.train.Checkpoint(number=tf.Variable(3.0)), str(tmp_path))
    assert hub.load(str(tmp_path), tags="serve").number.numpy() == 3.0
    with pytest.raises((RuntimeError, ValueError), match="absent"):
        hub.load(str(tmp_path), tags={"absent"})


def test_files_are_read_on_the_io_device() -> None:
    """The device is passed on: one that does not exist is an error."""
    options = tf.saved_model.LoadOptions(experimental_io_device="/job:localhost")
    assert len(hub.load(str(GOLDEN / "batch_norm"), options=options).variables) == 5
    options = tf.saved_model.LoadOptions(experimental_io_device="/job:absent")
    with pytest.raises(tf.errors.InvalidArgumentError, match="absent"):
        hub.load(str(GOLDEN / "batch_norm"), options=options)


@pytest.mark.parametrize("damage", ["cut", "gone", "directory"])
def test_a_damaged_checkpoint_is_told(tmp_path: Path, damage: str) -> None:
    path = exported(tmp_path / "m", affine)
    for shard in (tmp_path / "m" / "variables").glob("*.data-*"):
        shard.write_bytes(b"") if damage == "cut" else shard.unlink()
        if damage == "directory":
            shard.mkdir()
    with pytest.raises(CheckpointError, match=r"is damaged.*Fetch it again"):
        hub.load(path)


def test_variants_share_their_variables() -> None:
    module = hub.load(str(GOLDEN / "batch_norm"))
    other = module.with_tags({"train"})
    assert [v is w for v, w in zip(module.variables, other.variables, strict=True)] == [True] * 5


def test_loaded_twice_nothing_is_shared() -> None:
    first, second = (hub.load(str(GOLDEN / "vocabulary")) for _ in range(2))
    first.variables[0].assign(tf.zeros_like(first.variables[0]))
    assert first(["cat"]).numpy().tolist() == [[0.0] * 3]
    del first
    assert second(["cat"]).numpy().any()


@pytest.mark.parametrize("name, word", [("vocabulary", "cat"), ("twin_assets", "red")])
def test_in_a_graph_initialisers_give_values(name: str, word: str) -> None:
    expected = hub.load(str(GOLDEN / name))([word]).numpy().tolist()
    with tf.Graph().as_default():
        output = hub.load(str(GOLDEN / name))(tf.constant([word]))
        with initialised_session(tf.compat.v1.get_default_graph()) as session:
            assert session.run(output).tolist() == expected


@pytest.mark.parametrize("autograph", [True, False])
def test_in_a_function_state_is_made_outside(autograph: bool) -> None:
    loaded = []

    @tf.function(autograph=autograph)
    def lookup(words: tf.Tensor) -> tf.Tensor:
        if not loaded:
            loaded.append(hub.load(str(GOLDEN / "vocabulary")))
        return loaded[0](words)

    expected = hub.load(str(GOLDEN / "vocabulary"))(["cat"]).numpy().tolist()
    assert lookup(tf.constant(["cat"])).numpy().tolist() == expected
    assert loaded[0](["cat"]).numpy().tolist() == expected


def test_under_a_strategy_variables_are_distributed() -> None:
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        module = hub.load(str(GOLDEN / "vocabulary"))
    [variable] = module.variables
    assert isinstance(variable, tf.distribute.DistributedValues)
    found = strategy.run(lambda: module(tf.constant(["cat"])))
    assert found.numpy().tolist() == module(["cat"]).numpy().tolist()


@pytest.mark.parametrize("name, text", [("batch_norm", False), ("vocabulary", True)])
def test_what_is_not_used_any_more_is_collected(name: str, text: bool) -> None:
    module = hub.load(str(GOLDEN / name))
    inputs = ["cat"] if text else [[1.0, 2.0, 3.0]]
    module(inputs, training=True)
    signature = module.signatures["default"]
    signature(tf.constant(inputs))
    parts = [
        module,
        signature,
        signature.graph,
        *module.variables,
        *module.state.tables.values(),
    ]
    alive = [weakref.ref(part) for part in parts]
    del module, signature, parts
    gc.collect()
    assert [part() for part in alive if part() is not None] == []


def test_what_is_not_used_any_more_is_collected_after_saving(tmp_path: Path) -> None:
    module = hub.load(str(GOLDEN / "batch_norm"))
    tf.saved_model.save(module, str(tmp_path))
    alive = [weakref.ref(part) for part in [module, *module.variables]]
    del module
    gc.collect()
    assert [part() for part in alive if part() is not None] == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

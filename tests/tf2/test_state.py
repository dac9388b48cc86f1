"""state: what a module holds, as objects."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
import tensorflow as tf

from hubmodule.errors import CheckpointError, ModuleFormatError
from hubmodule.tf2.state import ModuleState
from tests.damage.mutations import copy
from tests.module.graphs import affine, exported
from tests.tf2.parts import EMPTY, parts

GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"


def test_variables_have_the_values_of_the_checkpoint(tmp_path):
    variant, state = parts(exported(tmp_path / "m", lambda: affine(3.0, 4.0)))
    state.add(variant)
    found = {name: (v.numpy(), v.trainable) for name, v in state.variables.items()}
    assert found == {"w": (3.0, True), "b": (4.0, False)}


def test_what_is_there_is_not_made_again(tmp_path):
    variant, state = parts(exported(tmp_path / "m", affine))
    state.add(variant)
    before = dict(state.variables)
    before["w"].assign(7.0)
    state.add(variant)
    assert all(state.variables[name] is before[name] for name in before)
    assert state.variables["w"].numpy() == 7.0


def test_variables_are_made_outside_of_the_function_that_needs_them(tmp_path):
    variant, state = parts(exported(tmp_path / "m", affine))

    @tf.function
    def function():
        state.add(variant)

    function()
    assert state.variables["w"].numpy() == 2.0


def test_replicas_share_only_what_is_trained(tmp_path):
    variant, state = parts(exported(tmp_path / "m", affine))
    state.add(variant)
    assert state.variables["b"].aggregation == tf.VariableAggregation.MEAN
    assert state.variables["b"].synchronization == tf.VariableSynchronization.ON_READ
    assert state.variables["w"].synchronization == tf.VariableSynchronization.AUTO


def test_a_checkpoint_without_the_variables_is_refused_before_any_is_made(tmp_path):
    variant, _ = parts(exported(tmp_path / "m", affine))
    state = ModuleState(EMPTY)
    with pytest.raises(CheckpointError, match="w"):
        state.add(variant)
    assert state.variables == {}


def test_variables_that_may_be_absent_are_not_made_then(tmp_path):
    variant, _ = parts(exported(tmp_path / "m", affine))
    state = ModuleState(EMPTY)
    state.add_restorable_variables(variant)
    assert state.variables == {}


def test_variables_that_may_be_absent_are_made_if_they_are_there(tmp_path):
    variant, state = parts(exported(tmp_path / "m", affine))
    state.add_restorable_variables(variant)
    assert set(state.variables) == {"w", "b"}


def test_threads_make_each_variable_once(tmp_path):
    variant, state = parts(exported(tmp_path / "m", affine))
    barrier, found = threading.Barrier(4), []

    def add():
        barrier.wait()
        state.add(variant)
        found.append(state.variables["w"])

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [variable is state.variables["w"] for variable in found] == [True] * 4


def test_names_are_those_of_the_module(tmp_path):
    variant, state = parts(exported(tmp_path / "m", affine))
    state.add(variant)
    assert sorted(v.name for v in state.variables.values()) == ["b:0", "w:0"]


def test_assets_are_files_of_the_module():
    variant, state = parts(GOLDEN / "vocabulary")
    state.add(variant)
    [asset] = state.assets.values()
    path = Path(asset.asset_path.numpy().decode())
    assert path.parent == GOLDEN / "vocabulary" / "assets"
    assert path.is_file()


def test_each_table_is_there_once():
    variant, state = parts(GOLDEN / "vocabulary")
    state.add(variant)
    before = dict(state.tables)
    state.add(variant)
    assert len(before) == 1
    assert all(state.tables[name] is before[name] for name in before)


@pytest.mark.parametrize(
    ("is_directory", "reason"), [(False, "No such file"), (True, "(Is a|is a) directory")]
)
def test_a_table_that_cannot_be_filled_is_named(is_directory, reason, tmp_path):
    copy(GOLDEN / "vocabulary", tmp_path / "m")
    for path in (tmp_path / "m" / "assets").iterdir():
        path.unlink()
        if is_directory:
            path.mkdir()
    variant, state = parts(tmp_path / "m")
    with pytest.raises(
        ModuleFormatError, match=rf"(?s)Table '.*' of .* cannot be filled: .*{reason}"
    ):
        state.add(variant)


def test_a_variable_of_no_collection_is_named(tmp_path):
    variant, _ = parts(exported(tmp_path / "m", affine))
    state = ModuleState(EMPTY)
    with tf.Graph().as_default(), pytest.raises(ModuleFormatError, match="Op 'w' holds a variable"):
        state.capture("w:0")
    assert "w" in variant.state_ops


def test_captures_are_the_handles_of_the_variables(tmp_path):
    variant, state = parts(exported(tmp_path / "m", affine))
    state.add(variant)

    @tf.function
    def read():
        return tf.raw_ops.ReadVariableOp(resource=state.capture("w:0"), dtype=tf.float32)

    assert read().numpy() == 2.0
    state.variables["w"].assign(5.0)
    assert read().numpy() == 5.0


@pytest.mark.parametrize("watched, expected", [(True, ["w"]), (False, [])])
def test_tapes_know_of_what_is_watched(tmp_path, watched, expected):
    variant, state = parts(exported(tmp_path / "m", affine))
    state.add(variant)

    @tf.function
    def read():
        state.capture("w:0", watched)

    with tf.GradientTape() as tape:
        read()
    names = [v.name.split(":")[0] for v in tape.watched_variables()]
    assert names == expected


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

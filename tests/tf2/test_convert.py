"""Tests of convert: what it writes loads where this package is not."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.fingerprint_pb2 import FingerprintDef as Fingerprint

import hubmodule as hub
from hubmodule import _tf
from hubmodule.errors import ExportExistsError, ModuleDefinitionError
from hubmodule.tf2.convert import KINDS, convert
from tests.golden import recordings
from tests.module.graphs import exported
from tests.tf2 import fine_tuning

v1 = tf.compat.v1
GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"
DENSE = str(GOLDEN / "dense_regularized")
INPUTS = np.sin(np.arange(12)).reshape(4, 3).astype(np.float32)

ELSEWHERE = """
import sys
sys.modules["hubmodule"] = None  # any import of it fails
import numpy as np
import tensorflow as tf
path, kind, inputs, outputs = sys.argv[1:]
loaded = tf.saved_model.load(path)
given = tf.constant(np.load(inputs))
if kind == "reusable":
    found = loaded(given, training=False)
else:
    found = loaded.signatures["serving_default"](given)["default"]
np.save(outputs, found.numpy())
"""


@pytest.mark.parametrize("kind", KINDS)
def test_it_gives_the_same_without_this_package(kind: str, tmp_path: Path) -> None:
    convert(DENSE, str(tmp_path / "out"), kind)
    inputs, outputs = tmp_path / "inputs.npy", tmp_path / "outputs.npy"
    np.save(inputs, INPUTS)
    command = [sys.executable, "-c", ELSEWHERE, tmp_path / "out", kind, inputs, outputs]
    subprocess.run([str(part) for part in command], check=True, cwd=tmp_path)
    np.testing.assert_allclose(np.load(outputs), hub.load(DENSE)(INPUTS).numpy(), rtol=1e-6)


# Trains with one pass over the data, and evaluates.
TRAINED_ELSEWHERE = """
import sys
sys.modules["hubmodule"] = None
import numpy as np
import tensorflow as tf
path, data, learning_rate, outputs = sys.argv[1:]
module = tf.saved_model.load(path)
batches = np.load(data)

@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        error = tf.reduce_mean(tf.math.squared_difference(module(x, training=True), y))
        loss = tf.add_n([error, *(penalty() for penalty in module.regularization_losses)])
    gradients = tape.gradient(loss, module.trainable_variables)
    for variable, gradient in zip(module.trainable_variables, gradients):
        variable.assign_sub(float(learning_rate) * gradient)

for x, y in zip(batches["x"], batches["y"]):
    step(x, y)
weights = {v.name.partition(":")[0]: v.numpy() for v in module.variables}
np.savez(outputs, evaluated=module(batches["x"][0], training=False), **weights)
"""


def test_it_trains_and_evaluates_without_this_package(tmp_path: Path) -> None:
    handle = fine_tuning.published(tmp_path / "module")
    convert(handle, str(tmp_path / "out"))
    x, y = map(np.stack, zip(*fine_tuning.batches(), strict=True))
    data, outputs = tmp_path / "data.npz", tmp_path / "outputs.npz"
    np.savez(data, x=x, y=y)
    given = [tmp_path / "out", data, fine_tuning.LEARNING_RATE, outputs]
    command = [sys.executable, "-c", TRAINED_ELSEWHERE, *map(str, given)]
    subprocess.run(command, check=True, cwd=tmp_path)
    found = dict(np.load(outputs))
    evaluated = found.pop("evaluated")
    fine_tuning.assert_same(found, fine_tuning.trained_in_graph_mode(handle))
    module = hub.load(handle)
    for variable in module.variables:
        variable.assign(found[variable.name.partition(":")[0]])
    np.testing.assert_allclose(evaluated, module(x[0]), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_leaves_nothing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any, directory: str, *__: Any) -> None:
        Path(directory, "saved_model.pb").write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        convert(DENSE, str(tmp_path / "out"), kind)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_conversion_can_be_repeated(tmp_path: Path) -> None:
    program = """
import os, signal, sys
import tensorflow as tf
from hubmodule.tf2.convert import convert
save = tf.saved_model.save
def save_and_die(*arguments):
    save(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
tf.saved_model.save = save_and_die
convert(*sys.argv[1:])
"""
    out = tmp_path / "out"
    run = subprocess.run([sys.executable, "-c", program, DENSE, str(out)], capture_output=True)
    assert run.returncode == -signal.SIGKILL
    assert not out.exists()
    convert(DENSE, str(out))
    np.testing.assert_allclose(tf.saved_model.load(str(out))(INPUTS), hub.load(DENSE)(INPUTS))


def test_what_is_there_is_told_before_the_module_is_loaded(tmp_path: Path) -> None:
    convert(DENSE, str(tmp_path / "out"))
    with pytest.raises(ExportExistsError, match="out"):
        convert("/no/such/module", str(tmp_path / "out"))


def test_reusable_keeps_what_training_needs(tmp_path: Path) -> None:
    convert(DENSE, str(tmp_path / "out"))
    loaded, module = tf.saved_model.load(str(tmp_path / "out")), hub.load(DENSE)
    expected = [variable.numpy() for variable in module.trainable_variables]
    found = [variable.numpy() for variable in loaded.trainable_variables]
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert [float(loss()) for loss in loaded.regularization_losses] == pytest.approx(
        [float(loss()) for loss in module.regularization_losses]
    )


def test_serving_keeps_every_signature_and_no_call(tmp_path: Path) -> None:
    handle = str(GOLDEN / "signatures")
    convert(handle, str(tmp_path / "out"), "serving")
    loaded = tf.saved_model.load(str(tmp_path / "out"))
    assert set(loaded.signatures) == {*hub.load(handle).signatures, "serving_default"}
    assert not callable(loaded)


def test_serving_runs_in_a_session_with_its_tables_initialised(tmp_path: Path) -> None:
    convert(str(GOLDEN / "vocabulary"), str(tmp_path / "out"), "serving")
    given, expected = recordings.load_call(GOLDEN / "vocabulary__notags__default.npz")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path / "out"))
        signature = meta_graph.signature_def["serving_default"]
        feeds = {signature.inputs[name].name: value for name, value in given.items()}
        fetches = {name: info.name for name, info in signature.outputs.items()}
        found = session.run(fetches, feeds)
    assert set(found) == set(expected) != set()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-6)


def published_with_inputs(path: Path, names: Sequence[str]) -> str:
    """A module that gives each of its inputs, by the name of the input."""

    def module_fn() -> None:
        inputs = {name: v1.placeholder(tf.float32, []) for name in names}
        hub.add_signature(inputs=inputs, outputs={n: tf.identity(x) for n, x in inputs.items()})

    return exported(path, module_fn)


NAMES = {
    "one": ["a$b"],
    "odd": ["a$b", "a b", "x:0", "é", "_x", "", "class", "self"],
    "as TensorFlow accepts them": ["a/b", "x.y", "1x"],
    "colliding": ["a/b", "a-b", "a_b", "A_b", "a_b_1"],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_inputs_keep_their_names(names: Sequence[str], kind: str, tmp_path: Path) -> None:
    handle = published_with_inputs(tmp_path / "m", names)
    changed = convert(handle, str(tmp_path / "out"), kind)
    values = {name: float(index) for index, name in enumerate(names)}
    with tf.Graph().as_default(), v1.Session() as session:
        meta_graph = v1.saved_model.load(session, ["serve"], str(tmp_path / "out"))
        definition = meta_graph.signature_def["serving_default"]
        assert set(definition.inputs) == set(names)
        feeds = {definition.inputs[name].name: value for name, value in values.items()}
        fetches = {name: info.name for name, info in definition.outputs.items()}
        assert session.run(fetches, feeds) == values
    signature = tf.saved_model.load(str(tmp_path / "out")).signatures["serving_default"]
    arguments = changed.get("serving_default", {})
    found = signature(**{arguments.get(n, n): tf.constant(x) for n, x in values.items()})
    assert {name: float(value) for name, value in found.items()} == values


def test_the_arguments_of_other_names_are_returned(tmp_path: Path) -> None:
    handle = published_with_inputs(tmp_path / "m", ["tensor_dict$grid_coords", "x"])
    arguments = {"tensor_dict$grid_coords": "tensor_dict_grid_coords"}
    expected = {"default": arguments, "serving_default": arguments}
    assert convert(handle, str(tmp_path / "out")) == expected


def test_the_fingerprint_is_that_of_what_was_written(tmp_path: Path) -> None:
    convert(published_with_inputs(tmp_path / "m", ["a$b"]), str(tmp_path / "out"))
    found = (tmp_path / "out" / "fingerprint.pb").read_bytes()
    _tf.write_fingerprint(str(tmp_path / "out"))
    same, again = (Fingerprint.FromString(found) for _ in range(2))
    again.ParseFromString((tmp_path / "out" / "fingerprint.pb").read_bytes())
    for fingerprint in (same, again):
        # A new one each time; TensorFlow 2.15 has none.
        if "uuid" in fingerprint.DESCRIPTOR.fields_by_name:
            fingerprint.ClearField("uuid")
    assert same == again


def test_sparse_inputs_are_their_parts(tmp_path: Path) -> None:
    def module_fn() -> None:
        rows = v1.sparse_placeholder(tf.float32, [2, 2])
        other = v1.placeholder(tf.float32, [])
        inputs = {"c": rows, "c_values": other}
        hub.add_signature(inputs=inputs, outputs=tf.sparse.reduce_sum(rows) - other)

    changed = convert(exported(tmp_path / "m", module_fn), str(tmp_path / "out"))
    assert changed == {}
    signature = tf.saved_model.load(str(tmp_path / "out")).signatures["serving_default"]
    found = signature(
        c_indices=tf.constant([[0, 1]], tf.int64),
        c_values_=tf.constant([5.0]),
        c_dense_shape=tf.constant([2, 2], tf.int64),
        c_values=tf.constant(1.0),
    )
    assert float(found["default"]) == 4.0


def test_what_is_there_is_replaced_only_if_asked(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    convert(DENSE, out, "serving")
    with pytest.raises(ExportExistsError, match="out"):
        convert(DENSE, out, "reusable")
    assert not callable(tf.saved_model.load(out))
    convert(DENSE, out, "reusable", overwrite=True)
    assert callable(tf.saved_model.load(out))


def test_an_unknown_kind_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModuleDefinitionError, match=r"'lite'.*reusable.*serving"):
        convert(DENSE, str(tmp_path / "out"), "lite")
    assert list(tmp_path.iterdir()) == []


def test_a_plain_saved_model_is_refused(tmp_path: Path) -> None:
    tf.saved_model.save(tf.train.Checkpoint(number=tf.Variable(3.0)), str(tmp_path / "plain"))
    with pytest.raises(ModuleDefinitionError, match="plain SavedModel already"):
        convert(str(tmp_path / "plain"), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

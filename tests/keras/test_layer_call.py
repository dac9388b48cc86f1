"""Tests of LayerCall: what a KerasLayer does in any Keras."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import (
    ModuleDefinitionError,
    NoSuchSignatureError,
    NotSerializableError,
    SignatureMismatchError,
)
from hubmodule.keras.layer_call import LayerCall

GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"
DENSE = str(GOLDEN / "dense_regularized")
SIGNATURES = str(GOLDEN / "signatures")
NORM = str(GOLDEN / "batch_norm")
INPUTS = np.sin(np.arange(12)).reshape(4, 3).astype(np.float32)


class Affine(tf.Module):
    """Something plain that has a signature."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def both(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"double": 2 * x, "more": x + 1}


@pytest.fixture
def plain(tmp_path: Path) -> str:
    affine = Affine()
    tf.saved_model.save(affine, str(tmp_path), signatures={"both": affine.both})
    return str(tmp_path)


def test_a_callable_gets_the_arguments() -> None:
    call = LayerCall(lambda x, scale: x * scale, arguments={"scale": 3.0})
    assert call(tf.constant([1.0, 2.0]), None).numpy().tolist() == [3.0, 6.0]


def test_only_a_callable_that_takes_training_is_told() -> None:
    told = LayerCall(lambda x, training: (x, training))
    assert (told.takes_training, told(1, True), told(1, None)) == (True, (1, True), (1, False))
    assert LayerCall(lambda x: x).takes_training is False


def test_what_takes_no_training_gets_none_from_a_graph() -> None:
    call = LayerCall(lambda x: x + 1.0)
    run = tf.function(lambda x, training: call(x, training), autograph=False)
    assert run(tf.constant(5.0), tf.constant(True)).numpy() == 6.0


@pytest.mark.parametrize("training", [False, True])
def test_training_may_be_a_tensor(training: bool) -> None:
    call = LayerCall(lambda x, training: x + 1.0 if training else x - 1.0)
    run = tf.function(call.__call__)
    expected = 6.0 if training else 4.0
    assert run(tf.constant(5.0), tf.constant(training)).numpy() == expected


def test_a_module_gives_its_default_output() -> None:
    expected = hub.load(DENSE)(INPUTS).numpy()
    np.testing.assert_array_equal(LayerCall(DENSE)(INPUTS, False).numpy(), expected)
    as_dict = LayerCall(DENSE, outputs_as_dict=True)(INPUTS, False)
    np.testing.assert_array_equal(as_dict["default"].numpy(), expected)


def test_variables_are_split_by_whether_they_are_trained() -> None:
    call = LayerCall(NORM)
    assert len(call.trainable_variables) == 3
    assert len(call.other_variables) == 2
    assert all("moving" in variable.name for variable in call.other_variables)


def test_a_signature_of_a_plain_saved_model(plain: str) -> None:
    call = LayerCall(plain, signature="both", output_key="more")
    assert call([1.0, 2.0], True).numpy().tolist() == [2.0, 3.0]
    assert call({"x": [4.0]}, True).numpy().tolist() == [5.0]
    everything = LayerCall(plain, signature="both", outputs_as_dict=True)([1.0], None)
    assert {key: value.numpy().tolist() for key, value in everything.items()} == {
        "double": [2.0],
        "more": [2.0],
    }


def test_a_plain_signature_needs_a_choice_of_outputs(plain: str) -> None:
    with pytest.raises(ModuleDefinitionError, match="either output_key or"):
        LayerCall(plain, signature="both")


def test_an_unknown_signature_names_those_there_are(plain: str) -> None:
    with pytest.raises(NoSuchSignatureError, match=r"'none'\. Pass one of \['both'\]"):
        LayerCall(plain, signature="none", outputs_as_dict=True)


def test_what_cannot_be_called_names_its_signatures(plain: str) -> None:
    with pytest.raises(ModuleDefinitionError, match=r"cannot be called.*\['both'\]"):
        LayerCall(plain)


def test_an_absent_output_names_those_there_are() -> None:
    with pytest.raises(
        SignatureMismatchError, match=r"'none', but the outputs are \['default'\]; pass one"
    ):
        LayerCall(DENSE, output_key="none")(INPUTS, False)
    with pytest.raises(SignatureMismatchError, match="'none', but the object returns int"):
        LayerCall(lambda x: x, output_key="none")(1, False)


def test_the_config_has_what_was_given() -> None:
    assert LayerCall(DENSE, output_key="default", tags=set()).get_config() == {
        "handle": DENSE,
        "tags": [],
        "output_key": "default",
    }


def test_the_config_has_a_path_as_text() -> None:
    assert LayerCall(Path(DENSE)).get_config() == {"handle": DENSE}


@pytest.mark.parametrize("tags", ["train", {"train"}, ["train"], iter(["train"])])
def test_the_config_has_tags_however_they_were_given(tags: Any) -> None:
    assert LayerCall(NORM, tags=tags).get_config()["tags"] == ["train"]


@pytest.mark.parametrize("shape", [[2], (2,), tf.TensorShape([2]), 2])
def test_the_config_has_the_shape_however_it_was_given(shape: Any) -> None:
    assert LayerCall(DENSE, output_shape=shape).get_config()["output_shape"] == [2]


def test_arguments_are_inputs_of_a_signature(plain: str) -> None:
    right = np.ones([3, 2], np.float32)
    call = LayerCall(
        SIGNATURES, signature="pair", output_key="right", arguments={"right": right.tolist()}
    )
    found = call({"left": np.ones([1, 2], np.float32)}, False)
    np.testing.assert_array_equal(found.numpy(), right)
    call = LayerCall(plain, signature="both", output_key="more", arguments={"x": [4.0]})
    assert call({}, False).numpy().tolist() == [5.0]


def test_arguments_that_are_no_inputs_are_told() -> None:
    call = LayerCall(DENSE, arguments={"scale": 2.0})
    with pytest.raises(SignatureMismatchError, match=r"arguments for \['scale'\]"):
        call(INPUTS, False)
    with pytest.raises(SignatureMismatchError, match=r"unknown inputs \['scale'\]"):
        call({"default": INPUTS}, False)


def test_outputs_of_a_signature_need_one() -> None:
    with pytest.raises(ModuleDefinitionError, match="goes with a signature"):
        LayerCall(tf.identity, outputs_as_dict=True)


def test_arguments_that_are_no_json_have_no_config() -> None:
    with pytest.raises(NotSerializableError, match="must be JSON"):
        LayerCall(DENSE, arguments={"f": tf.identity}).get_config()


def test_shapes_are_made_known_after_the_batch() -> None:
    call = LayerCall(lambda x: {"x": x, "y": x}, output_shape={"x": [3], "y": [3]})

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32)])
    def shaped(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return call(x, None)

    shapes = shaped.get_concrete_function().output_shapes
    assert shapes["x"].as_list() == [None, 3]
    assert call.compute_shapes({"a": (8, 5)}, "float32") == {"x": (8, 3), "y": (8, 3)}
    with pytest.raises(tf.errors.InvalidArgumentError):
        shaped(tf.zeros([1, 2]))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

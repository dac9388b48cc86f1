"""What a KerasLayer does in any Keras: tests for the test files of each to inherit."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import ModuleDefinitionError, NotSerializableError, SignatureMismatchError
from hubmodule.resolver import resolvers
from tests.golden import real_modules, recordings, values
from tests.golden.definitions import Call
from tests.module.graphs import exported
from tests.tf2 import fine_tuning
from tests.tf2.golden_calls import CALLS, recorded
from tests.tf2.values import plain, tensors

GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"
DENSE = str(GOLDEN / "dense_regularized")
NORM = str(GOLDEN / "batch_norm")
SIGNATURES = str(GOLDEN / "signatures")
TEXT = str(GOLDEN / "vocabulary")
INPUTS = np.sin(np.arange(24)).reshape(8, 3).astype(np.float32)
TARGETS = np.ones([8, 1], np.float32)
SENTENCES = ["a", "b", "something else"]
# A layer is always called with something.
WITH_INPUTS = [p for p in CALLS if p.values[2].signature != "no:inputs"]
PAIR = {"left": np.ones([1, 2], np.float32), "right": np.ones([3, 2], np.float32)}

# Both replicas get the same inputs: their statistics are those of the whole batch.
MIRRORED = """
import importlib, json, sys
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
KerasLayer = importlib.import_module(sys.argv[1]).KerasLayer
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
with strategy.scope():
    layer = KerasLayer(sys.argv[2], trainable=True)
    model = keras.Sequential([layer])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
half = np.sin(np.arange(24)).reshape(8, 3).astype(np.float32)[:4]
data = tf.data.Dataset.from_tensors((np.tile(half, [2, 1]), np.ones([8, 3], np.float32)))
model.fit(data.unbatch().batch(8), verbose=0)
print(json.dumps([weight.tolist() for weight in layer.get_weights()]))
"""


def labelled_fn() -> None:
    """Module function: gives a variable of strings."""
    x = tf.compat.v1.placeholder(tf.float32, [None, 3])
    label = tf.compat.v1.get_variable("label", initializer=tf.constant(["a", "b"]))
    hub.add_signature(inputs=x, outputs=tf.identity(label))


def tokens_fn() -> None:
    """Module function: a signature with outputs of several types."""
    text = tf.compat.v1.placeholder(tf.string, [None])
    count = tf.strings.length(text)
    outputs = {"count": count, "long": count > 1, "upper": tf.strings.upper(text)}
    hub.add_signature("tokens", inputs={"text": text}, outputs=outputs)


class Affine(tf.train.Checkpoint):
    """A reusable SavedModel of TF2; with more than tensors in and out."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = tf.Variable(2.0)
        self.calls = tf.Variable(0.0, trainable=False)
        self.regularization_losses = [self.penalty]
        self.variables = [self.scale, self.calls]
        self.trainable_variables = [self.scale]

    @tf.function(input_signature=[])
    def penalty(self) -> tf.Tensor:
        return self.scale * 0.5

    @tf.function(
        input_signature=[
            {"x": tf.TensorSpec([None], tf.float32), "more": [tf.TensorSpec([None], tf.float32)]},
            tf.TensorSpec([], tf.bool),
            tf.TensorSpec([], tf.float32),
        ]
    )
    def __call__(
        self, inputs: Any, training: bool | tf.Tensor = False, shift: float | tf.Tensor = 0.0
    ) -> Any:
        self.calls.assign_add(tf.cast(training, tf.float32))
        y = self.scale * inputs["x"] + shift
        return {"y": y, "rest": [y + inputs["more"][0]]}


class LayerContract:
    """The tests.

    Attributes:
        keras: the Keras that the layer is of.
        KerasLayer: the layer.
    """

    keras: Any
    KerasLayer: Any

    def variable(self, weight: Any) -> tf.Variable:
        """The variable in a weight of a layer."""
        raise NotImplementedError

    def compiled(self, *layers: Any, learning_rate: float = 0.1) -> Any:
        """A model of one layer after the other, ready to be trained."""
        model = self.keras.Sequential(list(layers))
        model.compile(optimizer=self.keras.optimizers.SGD(learning_rate), loss="mse")
        return model

    def text_model(self) -> Any:
        """A functional model over a module that has a table."""
        text = self.keras.Input(shape=(), dtype="string")
        vectors = self.KerasLayer(TEXT, trainable=True)(text)
        return self.keras.Model(text, self.keras.layers.Dense(1)(vectors))

    # Weights

    def test_weights_are_the_variables_of_the_loaded_object(self) -> None:
        module = hub.load(NORM)
        layer = self.KerasLayer(module, trainable=True)
        trained = [self.variable(weight) for weight in layer.trainable_weights]
        others = [self.variable(weight) for weight in layer.non_trainable_weights]
        assert list(map(id, trained)) == list(map(id, module.trainable_variables))
        assert set(map(id, trained + others)) == set(map(id, module.variables))
        assert len(others) == 2

    def test_training_moves_the_variables_of_the_loaded_object(self) -> None:
        module = hub.load(DENSE)
        before = [variable.numpy() for variable in module.trainable_variables]
        layer = self.KerasLayer(module, trainable=True)
        self.compiled(layer, self.keras.layers.Dense(1)).fit(INPUTS, TARGETS, verbose=0)
        for old, variable in zip(before, module.trainable_variables, strict=True):
            assert not np.allclose(old, variable.numpy())

    def test_fine_tuning_agrees_with_graph_mode(self, tmp_path: Path) -> None:
        path = fine_tuning.published(tmp_path / "module")
        layer = self.KerasLayer(path, trainable=True)
        model = self.compiled(layer, learning_rate=fine_tuning.LEARNING_RATE)
        for inputs, targets in fine_tuning.batches():
            model.train_on_batch(inputs, targets)
        found = fine_tuning.weights(self.variable(weight) for weight in layer.weights)
        fine_tuning.assert_same(found, fine_tuning.trained_in_graph_mode(path))

    def test_a_frozen_layer_stays_as_it_is_until_it_is_not(self) -> None:
        module = hub.load(NORM)
        layer = self.KerasLayer(module, trainable=False)
        model = self.compiled(layer, self.keras.layers.Dense(1))
        before = {variable.name: variable.numpy() for variable in module.variables}
        model.fit(INPUTS, TARGETS, verbose=0)
        assert len(layer.non_trainable_weights) == len(module.variables)
        for variable in module.variables:
            np.testing.assert_array_equal(variable.numpy(), before[variable.name])
        layer.trainable = True
        model.compile(optimizer=self.keras.optimizers.SGD(0.1), loss="mse")
        model.fit(INPUTS, TARGETS, verbose=0)
        assert len(layer.trainable_weights) == 3
        for variable in module.variables:
            assert not np.array_equal(variable.numpy(), before[variable.name]), variable.name

    def test_losses_are_those_of_the_module_while_it_is_trained(self) -> None:
        module = hub.load(DENSE)
        expected = sum(float(loss()) for loss in module.regularization_losses)
        layer = self.KerasLayer(module, trainable=True)
        model = self.keras.Sequential([layer])
        assert sum(map(float, model.losses)) == pytest.approx(expected)
        model(INPUTS), model(INPUTS)  # Each use shares the weights, so it adds nothing.
        assert sum(map(float, model.losses)) == pytest.approx(expected) != 0.0
        layer.trainable = False
        assert sum(map(float, model.losses)) == 0.0

    def test_the_reported_loss_includes_those_of_the_module(self) -> None:
        module = hub.load(DENSE)
        model = self.compiled(self.KerasLayer(module, trainable=True))
        error = np.mean((module(INPUTS).numpy() - 1.0) ** 2)
        penalty = sum(float(loss()) for loss in module.regularization_losses)
        found = model.evaluate(INPUTS, np.ones([8, 2]), verbose=0)
        assert found == pytest.approx(error + penalty, rel=1e-5)

    # Arguments

    def test_a_module_gives_its_default_output(self) -> None:
        expected = hub.load(DENSE)(INPUTS).numpy()
        np.testing.assert_allclose(self.KerasLayer(DENSE)(INPUTS), expected)
        np.testing.assert_allclose(self.KerasLayer(DENSE, output_key="default")(INPUTS), expected)
        outputs = self.KerasLayer(DENSE, signature_outputs_as_dict=True)(INPUTS)
        np.testing.assert_allclose(outputs["default"], expected)

    def test_arguments_in_the_order_of_old_programs(self) -> None:
        layer = self.KerasLayer(lambda x, scale: scale * x, True, {"scale": 3.0})
        assert layer.trainable is True
        np.testing.assert_allclose(layer(tf.constant([1.0, 2.0])), [3.0, 6.0])

    def test_tags_choose_the_variant(self) -> None:
        found = self.KerasLayer(NORM, tags={"train"})(INPUTS)
        expected = hub.load(NORM, tags={"train"})(INPUTS)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert not np.allclose(found, hub.load(NORM)(INPUTS))

    def test_a_signature_takes_and_gives_dicts(self) -> None:
        layer = self.KerasLayer(SIGNATURES, signature="pair", signature_outputs_as_dict=True)
        expected = hub.load(SIGNATURES).apply(PAIR, "pair")
        outputs = layer(PAIR)
        assert set(outputs) == set(expected)
        for key, value in expected.items():
            np.testing.assert_allclose(outputs[key], value)

    def test_old_programs_ask_for_what_was_loaded(self) -> None:
        module = hub.load(DENSE)
        assert self.KerasLayer(module).resolved_object is module
        assert isinstance(self.KerasLayer(DENSE).resolved_object, type(module))

    def test_a_layer_as_what_is_called(self) -> None:
        norm = self.keras.layers.BatchNormalization()
        norm.build((None, 3))
        layer = self.KerasLayer(norm, trainable=True)
        assert [len(layer.trainable_weights), len(layer.weights)] == [2, 4]
        trained = np.array(layer(INPUTS, training=True))
        np.testing.assert_allclose(trained.mean(axis=0), 0.0, atol=1e-6)
        layer.trainable = False
        np.testing.assert_allclose(layer(INPUTS, training=True), norm(INPUTS, training=False))

    def test_load_options_are_those_of_load(self) -> None:
        nowhere = tf.saved_model.LoadOptions(experimental_io_device="/job:absent/task:7")
        with pytest.raises((tf.errors.InvalidArgumentError, ValueError), match="absent"):
            self.KerasLayer(DENSE, load_options=nowhere)

    def test_a_name_and_a_type(self) -> None:
        layer = self.KerasLayer(DENSE, name="embed", dtype=tf.float32)
        assert (layer.name, layer.dtype) == ("embed", "float32")

    def test_what_is_no_string_nor_callable_is_refused(self) -> None:
        with pytest.raises(ModuleDefinitionError, match="cannot be called"):
            self.KerasLayer(5)

    # Calls

    @pytest.mark.parametrize("writer, name, call", WITH_INPUTS)
    def test_outputs_are_those_of_graph_mode(self, writer: str, name: str, call: Call) -> None:
        inputs, expected = recorded(recordings.outputs_file(GOLDEN.parent / writer, name, call))
        layer = self.KerasLayer(
            str(GOLDEN.parent / writer / name),
            tags=call.tags,
            signature=call.signature,
            signature_outputs_as_dict=True,
            autocast=False,
        )
        found = {key: plain(value) for key, value in layer(inputs).items()}
        assert values.differences(found, expected) == {}

    @real_modules.skipped_without
    @pytest.mark.parametrize(("name", "random"), real_modules.RECORDED)
    def test_outputs_of_real_modules(self, name: str, random: set[str]) -> None:
        call, expected = real_modules.recorded(name)
        layer = self.KerasLayer(
            real_modules.path(name), signature_outputs_as_dict=True, autocast=False
        )
        outputs = layer(tensors(call.inputs))
        found = {k: plain(v) for k, v in outputs.items() if k not in random}
        assert values.differences(found, expected) == {}

    def test_replicas_train_one_set_of_weights(self) -> None:
        program = f"import {self.keras.__name__} as keras\n{MIRRORED}"
        command = [sys.executable, "-c", program, self.KerasLayer.__module__, NORM]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr[-2000:]
        found = json.loads(run.stdout.splitlines()[-1])
        layer = self.KerasLayer(NORM, trainable=True)
        model = self.compiled(layer)
        model.fit(np.tile(INPUTS[:4], [2, 1]), np.ones([8, 3]), batch_size=8, verbose=0)
        for one, weight in zip(found, layer.get_weights(), strict=True):
            np.testing.assert_allclose(one, weight, atol=1e-5)

    def test_floats_are_cast_as_in_any_layer(self) -> None:
        expected = hub.load(DENSE)(INPUTS).numpy()
        found = self.KerasLayer(DENSE)(INPUTS.astype(np.float64))
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert found.dtype == tf.float32

    def test_lists_of_strings(self) -> None:
        expected = hub.load(TEXT)(SENTENCES).numpy()
        np.testing.assert_allclose(self.KerasLayer(TEXT)(SENTENCES), expected)
        np.testing.assert_allclose(self.KerasLayer(TEXT)(np.array(SENTENCES)), expected)

    @pytest.mark.parametrize("trainable", [False, True])
    @pytest.mark.parametrize("training", [None, False, True])
    def test_only_a_trainable_layer_trains(self, trainable: bool, training: bool | None) -> None:
        module = hub.load(NORM)
        trains = bool(trainable and training)
        expected = hub.load(NORM)(INPUTS, training=trains).numpy()
        before = [variable.numpy() for variable in module.variables]
        found = self.KerasLayer(module, trainable=trainable)(INPUTS, training=training)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        same = [np.array_equal(v, w.numpy()) for v, w in zip(before, module.variables, strict=True)]
        assert all(same) is not trains

    def test_a_tf2_saved_model_with_nested_inputs_and_outputs(self, tmp_path: Path) -> None:
        tf.saved_model.save(Affine(), str(tmp_path))
        layer = self.KerasLayer(
            str(tmp_path), trainable=True, arguments={"shift": tf.constant(1.0)}
        )
        given = {"x": tf.constant([1.0]), "more": [tf.constant([10.0])]}
        outputs = layer(given, training=True)
        assert (float(outputs["y"][0]), float(outputs["rest"][0][0])) == (3.0, 13.0)
        assert [float(loss) for loss in layer.losses] == [1.0]
        assert [float(self.variable(weight)) for weight in layer.weights] == [2.0, 1.0]

    def test_shapes_are_set_and_computed(self) -> None:
        def unknown(x: tf.Tensor) -> tf.Tensor:
            return tf.py_function(lambda value: value, [x], tf.float32)

        layer = self.KerasLayer(unknown, output_shape=[3])
        inputs = self.keras.Input(shape=(3,))
        assert tuple(layer(inputs).shape) == (None, 3)
        assert tuple(layer.compute_output_shape((8, 3))) == (8, 3)
        with pytest.raises(Exception, match=r"shape|Shape"):
            layer(np.ones([8, 2], np.float32))

    def test_shapes_of_a_dict_of_outputs(self) -> None:
        layer = self.KerasLayer(
            lambda x: {"one": x, "two": [x, x][0]}, output_shape={"one": [3], "two": [3]}
        )
        shapes = layer.compute_output_shape((8, 3))
        assert {key: tuple(shape) for key, shape in shapes.items()} == {
            "one": (8, 3),
            "two": (8, 3),
        }
        assert layer(INPUTS)["two"].shape == (8, 3)

    def test_the_shape_of_a_module_is_known_without_being_told(self) -> None:
        assert tuple(self.KerasLayer(DENSE).compute_output_shape((8, 3))) == (8, 2)
        layer = self.KerasLayer(SIGNATURES, signature="pair", output_key="right")
        shapes = {"left": (1, 2), "right": (3, 2)}
        assert tuple(layer.compute_output_shape(shapes)) == (3, 2)

    def test_the_shapes_of_outputs_of_several_types(self, tmp_path: Path) -> None:
        path = exported(tmp_path / "module", tokens_fn)
        layer = self.KerasLayer(path, signature="tokens", signature_outputs_as_dict=True)
        for shape in ((5,), {"text": (5,)}):
            found = layer.compute_output_shape(shape)
            assert {key: tuple(value) for key, value in found.items()} == {
                "count": (5,),
                "long": (5,),
                "upper": (5,),
            }

    def test_outputs_of_several_types_in_a_model(self, tmp_path: Path) -> None:
        path = exported(tmp_path / "module", tokens_fn)
        layer = self.KerasLayer(path, signature="tokens", signature_outputs_as_dict=True)
        text = self.keras.Input(shape=(), dtype="string")
        found = self.keras.Model(text, layer(text))(tf.constant(["a", "bcd"]))
        assert found["count"].numpy().tolist() == [1, 3]
        assert found["long"].numpy().tolist() == [False, True]
        assert found["upper"].numpy().tolist() == [b"A", b"BCD"]

    @pytest.mark.parametrize("value", [10.0, 3, "text", [1.0], True])
    def test_python_values_are_inputs(self, value: Any) -> None:
        found = self.KerasLayer(tf.identity)(value)
        np.testing.assert_array_equal(found, tf.constant(value))

    def test_a_plain_signature_cannot_be_trained(self, tmp_path: Path) -> None:
        module = tf.Module()
        module.double = tf.function(lambda x: x * 2.0).get_concrete_function(tf.TensorSpec([1]))
        tf.saved_model.save(module, str(tmp_path), signatures={"double": module.double})
        layer = self.KerasLayer(str(tmp_path), True, signature="double", output_key="output_0")
        with pytest.raises(ValueError, match="trainable=True cannot call a signature"):
            layer(tf.ones([1]))
        layer.trainable = False
        assert layer(tf.ones([1])).numpy().tolist() == [2.0]

    def test_a_layer_without_anything_to_train_is_told_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        layer = self.KerasLayer(tf.identity, trainable=True)
        layer(tf.ones([1]))
        layer(tf.ones([1]))
        [record] = caplog.records
        assert record.levelname == "ERROR"
        assert "no trainable weights: <function identity" in record.getMessage()
        assert "has no attribute `trainable_variables`" in record.getMessage()

    def test_variables_that_a_module_tracks_are_trained(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Scale(tf.Module):
            def __init__(self) -> None:
                super().__init__()
                self.scales = {"x": tf.Variable(2.0)}

            def __call__(self, x: tf.Tensor) -> tf.Tensor:
                return x * self.scales["x"]

        layer = self.KerasLayer(Scale(), trainable=True)
        assert layer(tf.ones([1])).numpy().tolist() == [2.0]
        assert len(layer.trainable_weights) == 1
        assert caplog.records == []

    def test_mixed_precision_leaves_the_module_alone(self) -> None:
        policies = self.keras.mixed_precision
        policies.set_global_policy("mixed_float16")
        try:
            layer = self.KerasLayer(DENSE, trainable=True)
            dense = self.keras.layers.Dense(3)
            outputs = layer(dense(INPUTS))
        finally:
            policies.set_global_policy("float32")
        assert dense(INPUTS).dtype == tf.float16
        assert outputs.dtype == tf.float32
        assert {self.variable(weight).dtype for weight in layer.weights} == {tf.float32}

    # Models

    def test_inputs_that_are_scaled(self) -> None:
        inputs = self.keras.Input(shape=(3,))
        model = self.keras.Model(inputs, self.KerasLayer(DENSE)(inputs * 2.0))
        np.testing.assert_allclose(model(INPUTS), hub.load(DENSE)(2.0 * INPUTS), rtol=1e-6)

    def test_functional_models_with_a_dict_of_inputs(self) -> None:
        inputs = {
            "left": self.keras.Input(shape=(2,), name="left"),
            "right": self.keras.Input(batch_shape=(3, 2), name="right"),
        }
        layer = self.KerasLayer(SIGNATURES, signature="pair", signature_outputs_as_dict=True)
        model = self.keras.Model(inputs, layer(inputs))
        expected = hub.load(SIGNATURES).apply(PAIR, "pair")
        found = model(PAIR)
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value)

    def test_subclassed_models_train(self) -> None:
        keras, module = self.keras, hub.load(DENSE)
        before = module.trainable_variables[0].numpy()

        class Model(keras.Model):
            def __init__(self, embed: Any) -> None:
                super().__init__()
                self.embed = embed
                self.top = keras.layers.Dense(1)

            def call(self, inputs: Any, training: Any = None) -> Any:
                return self.top(self.embed(inputs, training=training))

        model = Model(self.KerasLayer(module, trainable=True))
        model.compile(optimizer="sgd", loss="mse")
        model.fit(INPUTS, TARGETS, verbose=0)
        assert len(model.trainable_weights) == len(module.trainable_variables) + 2
        assert not np.allclose(before, module.trainable_variables[0].numpy())

    def test_sparse_inputs(self) -> None:
        handle = str(GOLDEN / "sparse")
        given = tf.sparse.from_dense(np.eye(4, dtype=np.float32))
        expected = hub.load(handle)(given).numpy()
        np.testing.assert_allclose(self.KerasLayer(handle)(given), expected)

    def test_ragged_inputs(self) -> None:
        handle = str(GOLDEN / "ragged")
        given = tf.ragged.constant([[1.0, 2.0], [3.0]])
        expected = hub.load(handle)(given).numpy()
        np.testing.assert_allclose(self.KerasLayer(handle)(given), expected)

    def test_old_programs_subclass_it(self) -> None:
        class Twice(self.KerasLayer):  # type: ignore[name-defined, misc]
            def call(self, inputs: Any, training: Any = None) -> Any:
                return 2.0 * super().call(inputs, training=training)

        layer = Twice(DENSE)
        assert isinstance(layer, self.KerasLayer)
        np.testing.assert_allclose(layer(INPUTS), 2.0 * hub.load(DENSE)(INPUTS).numpy())

    # Saving

    def test_the_config_makes_the_same_layer(self) -> None:
        layer = self.KerasLayer(
            SIGNATURES,
            trainable=True,
            tags=set(),
            signature="pair",
            output_key="right",
            output_shape=[2],
            name="pair",
        )
        config = json.loads(json.dumps(layer.get_config()))
        again = self.KerasLayer.from_config(config)
        assert again.get_config() == config
        assert (again.name, again.trainable) == ("pair", True)
        np.testing.assert_allclose(again(PAIR), layer(PAIR))

    def test_the_config_of_a_layer_that_does_not_cast(self) -> None:
        layer = self.KerasLayer(DENSE, autocast=False)
        again = self.KerasLayer.from_config(layer.get_config())
        with pytest.raises(TypeError, match="float64"):
            again(INPUTS.astype(np.float64))

    def test_an_object_has_no_config(self) -> None:
        with pytest.raises(NotSerializableError, match="handle is a string"):
            self.KerasLayer(tf.identity).get_config()

    def test_clones_have_weights_of_their_own(self) -> None:
        model = self.compiled(self.KerasLayer(DENSE, trainable=True))
        model.fit(INPUTS, np.ones([8, 2]), verbose=0)
        clone = self.keras.models.clone_model(model)
        np.testing.assert_allclose(clone.predict(INPUTS, verbose=0), hub.load(DENSE)(INPUTS), 1e-5)
        clone.set_weights(model.get_weights())
        np.testing.assert_allclose(
            clone.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0), 1e-5
        )

    @pytest.mark.parametrize("file", ["model.keras", "model.h5"])
    def test_files_of_models(self, file: str, tmp_path: Path) -> None:
        model = self.text_model()
        model.compile(optimizer="sgd", loss=self.keras.losses.MeanSquaredError())
        model.fit(tf.constant(SENTENCES), np.ones([3, 1]), verbose=0)
        model.save(str(tmp_path / file))
        loaded = self.keras.models.load_model(str(tmp_path / file))
        given = tf.constant(SENTENCES)
        np.testing.assert_allclose(loaded(given), model(given), rtol=1e-6)
        assert isinstance(loaded.layers[1], self.KerasLayer)
        assert len(loaded.trainable_weights) == len(model.trainable_weights)
        loaded.compile(optimizer="sgd", loss="mse")
        loaded.fit(given, np.ones([3, 1]), verbose=0)
        assert not np.allclose(loaded(given), model(given))

    @pytest.mark.parametrize("file", ["model.keras", "model.h5"])
    def test_files_read_with_custom_objects_as_old_programs_do(
        self, file: str, tmp_path: Path
    ) -> None:
        model = self.text_model()
        model.save(str(tmp_path / file))
        loaded = self.keras.models.load_model(
            str(tmp_path / file), custom_objects={"KerasLayer": self.KerasLayer}
        )
        given = tf.constant(SENTENCES)
        np.testing.assert_allclose(loaded(given), model(given), rtol=1e-6)

    @pytest.mark.parametrize("file", ["model.keras", "model.h5"])
    def test_files_of_models_whose_module_has_moved(self, file: str, tmp_path: Path) -> None:
        old, new = str(tmp_path / "old"), str(tmp_path / "new")
        shutil.copytree(DENSE, old)
        model = self.compiled(self.KerasLayer(old))
        expected = model(INPUTS)
        model.save(str(tmp_path / file))
        Path(old).rename(new)
        load = functools.partial(self.keras.models.load_model, compile=False)
        with pytest.raises(
            OSError, match=r"old does not exist\..* A saved model stores the handle"
        ):
            load(str(tmp_path / file))
        with self.KerasLayer.replace_handles({old: new}):
            loaded = load(str(tmp_path / file))
        np.testing.assert_allclose(loaded(INPUTS), expected, rtol=1e-6)
        assert loaded.layers[0].get_config()["handle"] == new
        with pytest.raises(OSError, match="replace_handles"):
            load(str(tmp_path / file))

    def test_a_saved_address_that_does_not_answer(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        address = "https://example.invalid/dense.tar.gz?X-Amz-Signature=SECRET"
        monkeypatch.setattr(resolvers, "resolve", lambda handle: DENSE)
        self.compiled(self.KerasLayer(address)).save(str(tmp_path / "model.keras"))
        monkeypatch.undo()
        monkeypatch.setenv("HUBMODULE_OFFLINE", "1")
        load = functools.partial(
            self.keras.models.load_model, str(tmp_path / "model.keras"), compile=False
        )
        with pytest.raises(OSError, match="replace_handles") as caught:
            load()
        assert "https://example.invalid/dense.tar.gz'" in str(caught.value)
        assert "SECRET" not in str(caught.value)
        # The outer context still counts, and an address needs no query.
        with (
            self.KerasLayer.replace_handles({"https://example.invalid/dense.tar.gz": Path(DENSE)}),
            self.KerasLayer.replace_handles({"/other/": "/another"}),
        ):
            assert load().layers[0].get_config()["handle"] == DENSE

    @pytest.mark.parametrize("handles", [None, ["/a"], {"/a": 3}, {None: "/a"}])
    def test_replaced_handles_are_texts(self, handles: Any) -> None:
        with (
            pytest.raises(ModuleDefinitionError, match="takes a dict"),
            self.KerasLayer.replace_handles(handles),
        ):
            pass

    def test_messages_hide_the_query_of_an_address(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tf.saved_model.save(tf.train.Checkpoint(number=tf.Variable(3.0)), str(tmp_path))
        monkeypatch.setattr(resolvers, "resolve", lambda handle: str(tmp_path))
        with pytest.raises(ModuleDefinitionError, match="'https://h/m' cannot be called"):
            self.KerasLayer("https://h/m?sig=SECRET")(INPUTS)

    @pytest.mark.parametrize("plain_model", [False, True])
    @pytest.mark.parametrize(
        ("inputs", "got"),
        [
            (np.ones([2], np.float32), r"float32 of shape \(2,\)"),
            ([["a"], ["b"]], r"string of shape \(2, 1\)"),
        ],
    )
    def test_inputs_that_are_not_text_of_the_right_shape(
        self, plain_model: bool, inputs: Any, got: str, tmp_path: Path
    ) -> None:
        path = TEXT
        if plain_model:
            path = str(tmp_path / "plain")
            tf.saved_model.save(hub.load(TEXT), path)
        advice = (
            rf"text, of shape \(None,\), but got {got}.*keras\.Input\(shape=\(\), dtype='string'"
        )
        with pytest.raises(SignatureMismatchError, match=advice):
            self.KerasLayer(path)(tf.constant(inputs))

    def test_files_of_weights(self, tmp_path: Path) -> None:
        model = self.compiled(self.KerasLayer(NORM, trainable=True))
        model.fit(INPUTS, np.ones([8, 3]), verbose=0)
        model.save_weights(str(tmp_path / "model.weights.h5"))
        other = self.compiled(self.KerasLayer(NORM, trainable=True))
        other.build((None, 3))
        assert not np.allclose(other.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0))
        other.load_weights(str(tmp_path / "model.weights.h5"))
        np.testing.assert_allclose(
            other.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0), rtol=1e-6
        )

    def test_files_hold_variables_of_strings(self, tmp_path: Path) -> None:
        path = exported(tmp_path / "module", labelled_fn)
        model = self.compiled(self.KerasLayer(path))
        self.variable(model.layers[0].weights[0]).assign([b"new", b"\xff"])
        model(INPUTS)
        model.save(str(tmp_path / "model.keras"))
        loaded = self.keras.models.load_model(str(tmp_path / "model.keras"))
        assert loaded(INPUTS).numpy().tolist() == [b"new", b"\xff"]

    def test_checkpoints(self, tmp_path: Path) -> None:
        model = self.compiled(self.KerasLayer(NORM, trainable=True))
        model.fit(INPUTS, np.ones([8, 3]), verbose=0)
        path = tf.train.Checkpoint(model=model).save(str(tmp_path / "checkpoint"))
        other = self.compiled(self.KerasLayer(NORM, trainable=True))
        other.build((None, 3))
        tf.train.Checkpoint(model=other).restore(path).assert_existing_objects_matched()
        np.testing.assert_allclose(
            other.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0), rtol=1e-6
        )

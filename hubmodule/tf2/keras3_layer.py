"""KerasLayer for Keras 3 on TensorFlow."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from hubmodule.errors import BackendError, ModuleDefinitionError
from hubmodule.tf2.layer_call import LayerCall


@keras.saving.register_keras_serializable(package="hubmodule")
class KerasLayer(keras.layers.Layer):
    """A module or a SavedModel as a Keras layer.

        model = keras.Sequential([hub.KerasLayer("/path/to/module", trainable=True), ...])

    Its weights are the loaded object's own variables. A frozen layer (trainable=False)
    runs with training=False and has no losses.

    Args:
        handle: of a module or SavedModel, or a callable.
        trainable: whether the weights are trained; may be changed at any time.
        arguments: passed to the callable, or to the signature, by name; JSON, if the layer
            has a config.
        tags: of the graph variant, as of hub.load().
        signature: to call instead of the object.
        signature_outputs_as_dict: whether to return all outputs of the signature.
        output_key: which output to return.
        output_shape: of the outputs, without the batch; a dict or list of shapes for several.
        load_options: as the `options` of hub.load().
        **kwargs: as of keras.layers.Layer.

    Raises:
        BackendError: if Keras does not compute with TensorFlow.
        ModuleDefinitionError: if arguments do not go together.
        as hub.load(), if the handle is a string.
    """

    def __init__(
        self,
        handle: Any,
        trainable: bool = False,
        arguments: Mapping[str, Any] | None = None,
        _sentinel: None = None,
        tags: Any = None,
        signature: str | None = None,
        signature_outputs_as_dict: bool | None = None,
        output_key: str | None = None,
        output_shape: Any = None,
        load_options: tf.saved_model.LoadOptions | None = None,
        **kwargs: Any,
    ):
        if _sentinel is not None:
            raise ModuleDefinitionError("Pass `tags` and what follows by name.")
        if keras.backend.backend() != "tensorflow":
            raise BackendError(
                f"hub.KerasLayer computes with TensorFlow, but the backend of Keras is "
                f"'{keras.backend.backend()}'. Set KERAS_BACKEND=tensorflow before importing keras."
            )
        # Not the global policy: what a module computes in is fixed when it is made.
        kwargs.setdefault("dtype", keras.config.floatx())
        super().__init__(**kwargs)
        if "input_shape" in kwargs:
            _check_makes_floats(kwargs["input_shape"], self.compute_dtype)
        self._call = LayerCall(
            handle,
            arguments=arguments,
            tags=tags,
            options=load_options,
            signature=signature,
            outputs_as_dict=signature_outputs_as_dict,
            output_key=output_key,
            output_shape=output_shape,
        )
        self._loaded = self._call.loaded  # tracked, so that its tables are saved
        # A Keras layer has weights of Keras already, and is tracked with them.
        self._module_weights = [
            _adopted(variable, trains)
            for variables, trains in (
                (self._call.trainable_variables, True),
                (self._call.other_variables, False),
            )
            for variable in variables
            if not isinstance(self._loaded, keras.layers.Layer)
        ]
        # Afterwards: the weights hear of it, and as a change, for they are made to be trained.
        self.trainable = trainable
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        """Nothing to do: the weights are there from the start."""

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Applies the module; lists of Python values may be passed, as in Keras 2."""
        return super().__call__(_with_tensors(inputs), *args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Applies the module."""
        return self._call(inputs, training if self.trainable else False)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for inputs of these shapes, whose type is that of the layer."""
        if self._call.output_shape is not None:
            return self._call.shapes(input_shape)
        inputs = keras.tree.map_shape_structure(
            lambda shape: keras.KerasTensor(shape, dtype=self.compute_dtype), input_shape
        )
        return keras.tree.map_structure(
            lambda output: output.shape, self.compute_output_spec(inputs)
        )

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """What the outputs are, as Keras finds out by tracing a call."""
        # A layer that has compute_output_shape() would be asked only that, and the types guessed.
        trace = functools.partial(keras.Operation.compute_output_spec, self)
        try:
            return trace(*args, **kwargs)
        except Exception:
            if not any(map(_is_sparse, keras.tree.flatten((args, kwargs)))):
                raise
            # To Keras, `inputs * 2` may be sparse, for the 2 may be.
            args, kwargs = keras.tree.map_structure(_dense, (args, kwargs))
            return trace(*args, **kwargs)

    def _get_own_losses(self) -> list[Any]:
        # add_loss() takes no functions in Keras 3, and in call() it would count the
        # losses of a shared layer once for each use.
        losses = self._call.losses if self.trainable else []
        return [*super()._get_own_losses(), *(loss() for loss in losses)]

    def save_own_variables(self, store: Any) -> None:
        """Saves the weights for Keras, whose files hold numbers: strings as bytes."""
        for key, weight in self._own_variables().items():
            store[key] = _as_bytes(weight) if weight.dtype == "string" else weight

    def load_own_variables(self, store: Any) -> None:
        """Loads what save_own_variables() saved, or a layer of Keras 2."""
        keys, weights = store.keys(), self._own_variables()
        texts = [key for key, weight in weights.items() if weight.dtype == "string"]
        if texts:
            store = {key: _as_text(store[key]) if key in texts else store[key] for key in keys}
        super().load_own_variables(store)

    def _own_variables(self) -> dict[str, keras.Variable]:
        """The weights by the keys that they have in a file."""
        weights: dict[str, keras.Variable] = {}
        super().save_own_variables(weights)
        return weights

    @property
    def resolved_object(self) -> Any:
        """The object that is called: what hub.load() gave for the handle, or the handle."""
        return self._loaded

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer.

        Raises:
            NotSerializableError: if the handle is not a string, or an argument no JSON.
        """
        config = {**super().get_config(), **self._call.config(), "trainable": self.trainable}
        if not self.autocast:
            config["autocast"] = False
        return config


def _adopted(variable: tf.Variable, trainable: bool) -> keras.Variable:
    """A keras.Variable whose value is this very tf.Variable."""
    name = variable.name.partition(":")[0].replace("/", "_")
    adopted = keras.Variable(
        variable,
        shape=variable.shape,
        dtype=variable.dtype.name,
        trainable=trainable,
        name=name,
        autocast=False,
    )
    if adopted.value is not variable:
        adopted._value = variable
    return adopted


def _as_bytes(weight: keras.Variable) -> np.ndarray:
    return np.frombuffer(tf.io.serialize_tensor(weight.value).numpy(), np.uint8)


def _as_text(stored: Any) -> Any:
    """The strings in a file: of _as_bytes(), or of Keras 2, which writes them as they are."""
    values = np.asarray(stored)
    return tf.io.parse_tensor(values.tobytes(), tf.string) if values.dtype == np.uint8 else values


def _is_sparse(value: Any) -> bool:
    return isinstance(value, keras.KerasTensor) and value.sparse


def _dense(value: Any) -> Any:
    """A symbolic input without the mark that it is sparse."""
    return keras.KerasTensor(value.shape, value.dtype) if _is_sparse(value) else value


def _check_makes_floats(input_shape: Any, dtype: str) -> None:
    if not tf.as_dtype(dtype).is_floating:
        raise ModuleDefinitionError(
            "In Keras 3 `input_shape` makes an input of floats only. Leave it out, and put "
            f"keras.Input(shape={input_shape}, dtype='{dtype}') before the layer."
        )


def _with_tensors(inputs: Any) -> Any:
    """Inputs in which lists of Python values are tensors."""
    if isinstance(inputs, Mapping):
        return {name: _with_tensors(value) for name, value in inputs.items()}
    if isinstance(inputs, (list, tuple)) and all(
        isinstance(value, (str, bytes, bool, int, float)) for value in tf.nest.flatten(inputs)
    ):
        return tf.convert_to_tensor(inputs)
    return inputs

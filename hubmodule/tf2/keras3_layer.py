"""KerasLayer for Keras 3 on TensorFlow."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from hubmodule.errors import ModuleDefinitionError
from hubmodule.tf2 import shapes
from hubmodule.tf2.module_layer import ModuleLayer


@keras.saving.register_keras_serializable(package="hubmodule")
class KerasLayer(ModuleLayer, keras.layers.Layer):  # noqa: D101
    __doc__ = ModuleLayer.__doc__

    _keras = keras

    def _check_options(self, options: Mapping[str, Any]) -> None:
        if "input_shape" in options and not tf.as_dtype(self.compute_dtype).is_floating:
            raise ModuleDefinitionError(
                "In Keras 3 `input_shape` makes an input of floats only. Leave it out, and put "
                f"keras.Input(shape={options['input_shape']}, dtype='{self.compute_dtype}') before "
                "the layer."
            )

    def _take_weights(self) -> None:
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
        # The weights have to hear of it, and Keras ignores an assignment that changes nothing.
        keras.layers.Layer.trainable.fset(self, self.trainable)

    def build(self, input_shape: Any = None) -> None:
        """Nothing to do: the weights are there from the start."""

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Applies the module; Python values and lists of them may be passed, as in Keras 2."""
        return super().__call__(_with_tensors(inputs), *args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Applies the module."""
        return self._apply(inputs, training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Computes the shapes of the outputs for the shapes of the inputs.

        Returns:
            A tuple with the batch; nested like the outputs.
        """
        return shapes.as_tuples(self._call.shapes(input_shape, self.compute_dtype))

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

    @property
    def _casts(self) -> bool:
        return self.autocast

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


def _with_tensors(inputs: Any) -> Any:
    """Converts Python values and lists of them to tensors, alone or in a dict."""
    if isinstance(inputs, Mapping):
        return {name: _with_tensors(value) for name, value in inputs.items()}
    values = tf.nest.flatten(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    if all(isinstance(value, (str, bytes, bool, int, float)) for value in values):
        return tf.convert_to_tensor(inputs)
    return inputs

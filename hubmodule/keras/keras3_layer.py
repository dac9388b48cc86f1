"""KerasLayer for Keras 3 on TensorFlow."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from hubmodule.errors import ModuleDefinitionError
from hubmodule.keras import shapes
from hubmodule.keras.module_layer import ModuleLayer


@keras.saving.register_keras_serializable(package="hubmodule")
class KerasLayer(ModuleLayer, keras.layers.Layer):  # noqa: D101
    __doc__ = ModuleLayer.__doc__
    # Saved models store this name, and versions that do not have this file read them too.
    __module__ = "hubmodule.tf2.keras3_layer"

    _keras = keras

    def _check_options(self, options: Mapping[str, Any]) -> None:
        if "input_shape" in options and not tf.as_dtype(self.compute_dtype).is_floating:
            raise ModuleDefinitionError(
                "In Keras 3 `input_shape` makes an input of floats only. Leave it out, and put "
                f"keras.Input(shape={options['input_shape']}, dtype='{self.compute_dtype}') before "
                "the layer."
            )

    def _add_weights(self) -> None:
        # The weights of a Keras layer are Keras variables already, and tracked with the layer.
        self._module_weights = [
            _make_keras_variable(variable, trains)
            for variables, trains in (
                (self._call.trainable_variables, True),
                (self._call.other_variables, False),
            )
            for variable in variables
            if not isinstance(self._loaded, keras.layers.Layer)
        ]
        # An assignment of the same value would not tell the weights whether they are trained.
        keras.layers.Layer.trainable.fset(self, self.trainable)

    def build(self, input_shape: Any = None) -> None:
        """Does nothing, because the weights exist when the layer is made."""

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Applies the module.

        Args:
            inputs: A tensor, or nested tensors as the loaded object takes them; or Python values
                or lists of them, as in Keras 2.
            *args: Further arguments of call().
            **kwargs: Arguments of call(), and of the __call__ of keras.layers.Layer.

        Returns:
            The outputs: a tensor, or nested tensors as the loaded object returns them.
        """
        return super().__call__(_convert_python_values(inputs), *args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Applies the module.

        Args:
            inputs: A tensor, or nested tensors as the loaded object takes them.
            training: Whether the module is applied for training; None means False. A frozen
                layer ignores it.

        Returns:
            The outputs: a tensor, or nested tensors as the loaded object returns them.
        """
        return self._apply(inputs, training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Computes the shapes of the outputs.

        Args:
            input_shape: The shape of each input, with the batch; nested like the inputs.

        Returns:
            A tuple with the batch; nested like the outputs.
        """
        return shapes.convert_to_tuples(self._call.compute_shapes(input_shape, self.compute_dtype))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the shapes and types of the outputs by tracing a call."""
        # If a layer has compute_output_shape(), Keras calls only that, and guesses the dtypes.
        trace = functools.partial(keras.Operation.compute_output_spec, self)
        try:
            return trace(*args, **kwargs)
        except Exception:
            if not any(map(_is_sparse, keras.tree.flatten((args, kwargs)))):
                raise
            # Keras considers `inputs * 2` sparse if `inputs` may be sparse.
            args, kwargs = keras.tree.map_structure(_make_dense, (args, kwargs))
            return trace(*args, **kwargs)

    def _get_own_losses(self) -> list[Any]:
        # add_loss() takes no functions in Keras 3, and in call() it would count the
        # losses of a shared layer once for each use.
        losses = self._call.losses if self.trainable else []
        return [*super()._get_own_losses(), *(loss() for loss in losses)]

    @property
    def _is_autocast(self) -> bool:
        return self.autocast

    def save_own_variables(self, store: Any) -> None:
        """Saves the weights in a file of Keras, where strings become bytes: it has only numbers.

        Args:
            store: The dict-like store that Keras passes.
        """
        for key, weight in self._get_own_variables().items():
            store[key] = _serialize(weight) if weight.dtype == "string" else weight

    def load_own_variables(self, store: Any) -> None:
        """Loads weights that save_own_variables() or a Keras 2 layer saved.

        Args:
            store: The dict-like store that Keras passes.
        """
        keys, weights = store.keys(), self._get_own_variables()
        texts = [key for key, weight in weights.items() if weight.dtype == "string"]
        if texts:
            store = {
                key: _parse_strings(store[key]) if key in texts else store[key] for key in keys
            }
        super().load_own_variables(store)

    def _get_own_variables(self) -> dict[str, keras.Variable]:
        """Returns the weights by the keys that they have in a file."""
        weights: dict[str, keras.Variable] = {}
        super().save_own_variables(weights)
        return weights


def _make_keras_variable(variable: tf.Variable, trainable: bool) -> keras.Variable:
    """Makes a keras.Variable that holds a tf.Variable itself, not a copy of its value."""
    name = variable.name.partition(":")[0].replace("/", "_")
    result = keras.Variable(
        variable,
        shape=variable.shape,
        dtype=variable.dtype.name,
        trainable=trainable,
        name=name,
        autocast=False,
    )
    if result.value is not variable:
        result._value = variable
    return result


def _serialize(weight: keras.Variable) -> np.ndarray:
    """Converts a weight of strings to bytes, as an array of uint8 of shape [size]."""
    return np.frombuffer(tf.io.serialize_tensor(weight.value).numpy(), np.uint8)


def _parse_strings(stored: Any) -> Any:
    """Converts a value from a file to strings: bytes from _serialize(), or strings of Keras 2."""
    values = np.asarray(stored)
    return tf.io.parse_tensor(values.tobytes(), tf.string) if values.dtype == np.uint8 else values


def _is_sparse(value: Any) -> bool:
    return isinstance(value, keras.KerasTensor) and value.sparse


def _make_dense(value: Any) -> Any:
    """Makes a symbolic input dense."""
    return keras.KerasTensor(value.shape, value.dtype) if _is_sparse(value) else value


def _convert_python_values(inputs: Any) -> Any:
    """Converts Python values, lists of them, and such values in a dict to tensors."""
    if isinstance(inputs, Mapping):
        return {name: _convert_python_values(value) for name, value in inputs.items()}
    values = tf.nest.flatten(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    if all(isinstance(value, (str, bytes, bool, int, float)) for value in values):
        return tf.convert_to_tensor(inputs)
    return inputs

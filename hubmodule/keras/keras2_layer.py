"""KerasLayer for Keras 2: tf_keras, or the Keras within TensorFlow 2.15."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.keras.module_layer import ModuleLayer

if _tf.HAS_KERAS_2:
    keras = tf.keras
else:
    import tf_keras as keras  # type: ignore[no-redef]


@keras.utils.register_keras_serializable(package="hubmodule")
class KerasLayer(ModuleLayer, keras.layers.Layer):  # type: ignore[name-defined] # noqa: D101
    __doc__ = ModuleLayer.__doc__
    # Saved models store this name, and versions that do not have this file read them too.
    __module__ = "hubmodule.tf2.keras2_layer"

    _keras = keras

    def _add_weights(self) -> None:
        for variable in self._call.trainable_variables:
            self._add_once(self._trainable_weights, variable)
        for variable in self._call.other_variables:
            self._add_once(self._non_trainable_weights, variable)
        for loss in self._call.losses:
            self.add_loss(functools.partial(self._compute_regularization_loss, loss))

    @staticmethod
    def _add_once(weights: list[tf.Variable], variable: tf.Variable) -> None:
        # Keras tracks the loaded object, and finds the variables of some objects by itself.
        if all(known is not variable for known in weights):
            weights.append(variable)

    def _compute_regularization_loss(self, loss: Callable[[], tf.Tensor]) -> tf.Tensor:
        """Computes a regularisation loss, which is 0 if the layer is frozen."""
        return loss() if self.trainable else tf.constant(0.0)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Applies the module.

        Args:
            inputs: A tensor, or nested tensors as the loaded object takes them.
            training: Whether the module is applied for training: a bool, a scalar tensor, or
                None, which means the learning phase of Keras. A frozen layer ignores it.

        Returns:
            The outputs: a tensor, or nested tensors as the loaded object returns them.
        """
        if training is None:
            training = keras.backend.learning_phase()
        return self._apply(inputs, training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Computes the shapes of the outputs.

        Args:
            input_shape: The shape of each input, with the batch; nested like the inputs.

        Returns:
            A tf.TensorShape with the batch; nested like the outputs.
        """
        return self._call.compute_shapes(input_shape, self.compute_dtype)

    @property
    def _is_autocast(self) -> bool:
        return self._autocast

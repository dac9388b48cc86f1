"""KerasLayer for Keras 2: tf_keras, or the Keras within TensorFlow 2.15."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import ModuleDefinitionError
from hubmodule.tf2.layer_call import LayerCall

if _tf.HAS_KERAS_2:
    keras = tf.keras
else:
    import tf_keras as keras  # type: ignore[no-redef]


@keras.utils.register_keras_serializable(package="hubmodule")
class KerasLayer(keras.layers.Layer):  # type: ignore[name-defined]
    """A module or a SavedModel as a layer of Keras 2.

    What it takes and does is said at the layer of Keras 3, hubmodule.tf2.keras3_layer.
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
        # Not the global policy: what a module computes in is fixed when it is made.
        kwargs.setdefault("dtype", keras.backend.floatx())
        super().__init__(trainable=trainable, **kwargs)
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
        for variable in self._call.trainable_variables:
            self._add_once(self._trainable_weights, variable)
        for variable in self._call.other_variables:
            self._add_once(self._non_trainable_weights, variable)
        for loss in self._call.losses:
            self.add_loss(functools.partial(self._loss_if_trained, loss))
        self.built = True

    @staticmethod
    def _add_once(weights: list[tf.Variable], variable: tf.Variable) -> None:
        # Keras finds those of some objects by itself, as it tracks the object.
        if all(known is not variable for known in weights):
            weights.append(variable)

    def _loss_if_trained(self, loss: Callable[[], tf.Tensor]) -> tf.Tensor:
        return loss() if self.trainable else tf.constant(0.0)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Applies the module."""
        if training is None:
            training = keras.backend.learning_phase()
        return self._call(inputs, training if self.trainable else False)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for inputs of these shapes."""
        if self._call.output_shape is None:
            return super().compute_output_shape(input_shape)
        return self._call.shapes(input_shape)

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
        if not self._autocast:
            config["autocast"] = False
        return config

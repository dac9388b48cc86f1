"""The object that a KerasLayer calls, and its arguments, in Keras 2 and in Keras 3."""

from __future__ import annotations

import inspect
import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import (
    ModuleDefinitionError,
    NoSuchSignatureError,
    NotSerializableError,
    SignatureMismatchError,
)
from hubmodule.keras import shapes
from hubmodule.tf2.load import load
from hubmodule.tf2.reusable_module import DEFAULT, ReusableModule
from hubmodule.urls import redact

_logger = logging.getLogger("hubmodule")


class LayerCall:
    """A loaded object, and the way in which a layer calls it.

    Args:
        handle: The handle of a module or SavedModel, a string or path; or a callable.
        arguments: The arguments that each call passes to the callable or signature, by name.
        tags: The tags of the graph variant, as in hub.load().
        options: The options for loading, as in hub.load().
        signature: The name of the signature to call; None means the object itself.
        outputs_as_dict: Whether the result is the dict of all outputs of the signature.
        output_key: The name of the output to return; None means the output "default" of a
            module, and the whole result of another object.
        output_shape: The shape of the output without the batch, e.g. [3]; or a dict or list of
            shapes for a dict or list of outputs. None means that a shape is not known.

    Attributes:
        loaded: The object: what hub.load() returned for the handle, or the callable.
        takes_training: Whether the object takes an argument `training`.

    Raises:
        HandleNotFoundError: If nothing exists at the handle; further exceptions are those of
            hub.load().
        ModuleDefinitionError: If arguments contradict each other, or the object cannot be called.
        NoSuchSignatureError: If no signature has this name.
    """

    def __init__(
        self,
        handle: Any,
        arguments: Mapping[str, Any] | None = None,
        tags: Any = None,
        options: Any = None,
        signature: str | None = None,
        outputs_as_dict: bool | None = None,
        output_key: str | None = None,
        output_shape: Any = None,
    ):
        self.handle = os.fspath(handle) if isinstance(handle, os.PathLike) else handle
        self.arguments = dict(arguments or {})
        self.tags = None if tags is None else sorted([tags] if isinstance(tags, str) else tags)
        self.signature = signature
        self.outputs_as_dict = outputs_as_dict
        self.output_key = output_key
        self.output_shape = shapes.parse(output_shape)
        self.loaded = self.handle
        if isinstance(self.handle, str):
            self.loaded = load(self.handle, tags=self.tags, options=options)
        self._has_logged_untrainable = False
        self._check_outputs()
        self._function = self._find_function()
        self.takes_training = isinstance(self.loaded, ReusableModule) or (
            signature is None
            and any(
                "training" in _tf.list_parameters(f) for f in (self._function, self._keras_call)
            )
        )

    def _check_outputs(self) -> None:
        if self.output_key is not None and self.outputs_as_dict:
            raise ModuleDefinitionError(
                "Pass either output_key or signature_outputs_as_dict=True to KerasLayer, not both."
            )
        plain_signature = self.signature and not isinstance(self.loaded, ReusableModule)
        if plain_signature and self.output_key is None and not self.outputs_as_dict:
            raise ModuleDefinitionError(
                "When using a signature, either output_key or signature_outputs_as_dict=True "
                "must be passed to KerasLayer."
            )
        if self.outputs_as_dict and not self._calls_signature:
            raise ModuleDefinitionError(
                "signature_outputs_as_dict=True goes with a signature: pass its name to KerasLayer "
                "as `signature`, or leave it out, and get what the object returns."
            )

    @property
    def _calls_signature(self) -> bool:
        """Whether a signature is called, which takes inputs by name."""
        return self.signature is not None or isinstance(self.loaded, ReusableModule)

    def _find_function(self) -> Callable[..., Any]:
        """Finds the function that is called, with the parameters that it takes."""
        signatures = getattr(self.loaded, "signatures", {})
        if self.signature is not None:
            if self.signature not in signatures:
                raise NoSuchSignatureError(
                    f"There is no signature '{self.signature}'. Pass one of {sorted(signatures)} "
                    "to KerasLayer as `signature`."
                )
            return signatures[self.signature]
        if not callable(self.loaded):
            raise ModuleDefinitionError(
                f"{self._describe_handle()} cannot be called. Pass one of its signatures to "
                f"KerasLayer as `signature`: {sorted(signatures)}."
            )
        if inspect.isroutine(self.loaded):
            return self.loaded  # Its __call__ does not show its parameters.
        # The __call__ of a SavedModel is a tf.function in an attribute.
        return getattr(self.loaded, "__call__", self.loaded)  # noqa: B004

    @property
    def _keras_call(self) -> Callable[..., Any]:
        """The method `call` of a Keras layer, whose __call__ takes any parameters."""
        return getattr(self.loaded, "call", self._function)

    @property
    def trainable_variables(self) -> list[tf.Variable]:
        """The variables that an optimiser may change."""
        return list(getattr(self.loaded, "trainable_variables", ()))

    @property
    def other_variables(self) -> list[tf.Variable]:
        """The variables that no optimiser changes."""
        trained = {id(variable) for variable in self.trainable_variables}
        return [v for v in getattr(self.loaded, "variables", ()) if id(v) not in trained]

    @property
    def losses(self) -> list[Callable[[], tf.Tensor]]:
        """The regularisation losses: functions without arguments that return a scalar."""
        return list(getattr(self.loaded, "regularization_losses", ()))

    def check_trainable(self) -> None:
        """Checks that the loaded object can be trained, and logs if there is nothing to train.

        Raises:
            ModuleDefinitionError: If a signature of a TF2 SavedModel is called.
        """
        if self.signature is not None and not isinstance(self.loaded, ReusableModule):
            raise ModuleDefinitionError(
                "A KerasLayer with trainable=True cannot call a signature of a TF2 SavedModel, "
                "which cannot be trained. Leave out `signature` to call the object itself, or set "
                "trainable=False."
            )
        if not self.trainable_variables and not self._has_logged_untrainable:
            self._has_logged_untrainable = True
            _logger.error(
                "A KerasLayer has trainable=True, but no trainable weights: %s %s. Nothing of it "
                "will be trained.",
                self._describe_handle(),
                "has no trainable variables"
                if hasattr(self.loaded, "trainable_variables")
                else "has no attribute `trainable_variables`, a list of the variables to train",
            )

    def __call__(self, inputs: Any, training: Any) -> Any:
        """Computes the outputs of the layer.

        Args:
            inputs: A tensor, or nested tensors as the object takes them.
            training: Whether the object is called for training: a bool or a scalar tensor; None
                means False. It is ignored if the object does not take it.

        Returns:
            The outputs, with the static shapes of `output_shape`.

        Raises:
            SignatureMismatchError: If an input is missing or unknown, or of another type or
                shape; or if no output has the name `output_key`.
        """
        try:
            return self._choose_mode(inputs, training)
        except (TypeError, ValueError, tf.errors.UnimplementedError) as error:
            self._check_text(inputs, error)
            raise

    def _choose_mode(self, inputs: Any, training: Any) -> Any:
        if self.takes_training and tf.is_tensor(training):
            outputs = tf.cond(
                tf.cast(training, tf.bool),
                lambda: self._run(inputs, True),
                lambda: self._run(inputs, False),
            )
        else:
            outputs = self._run(inputs, self.takes_training and bool(training))
        return shapes.ensure_shape(outputs, self.output_shape)

    def compute_shapes(self, input_shape: Any, dtype: Any) -> Any:
        """Computes the shapes of the outputs.

        Args:
            input_shape: The shape of each input, with the batch; nested like the inputs.
            dtype: The dtype of inputs whose dtype the loaded object does not declare.

        Returns:
            A tf.TensorShape with the batch for each output; nested like the outputs.
        """
        if self.output_shape is not None:
            return shapes.add_batch(self.output_shape, input_shape)
        dtypes = {name: spec.dtype for name, spec in self._find_input_specs().items()}
        specs = shapes.make_specs(input_shape, dtypes, tf.as_dtype(dtype))
        run = tf.function(lambda inputs: self(inputs, False), autograph=False)
        outputs = run.get_concrete_function(specs).structured_outputs
        return tf.nest.map_structure(lambda output: output.shape, outputs)

    def _find_input_specs(self) -> dict[str, Any]:
        """Finds the types of the inputs by name; an input without a name has the key ""."""
        if isinstance(self.loaded, ReusableModule):
            return self.loaded.input_specs(self.signature)
        function: Any = self._function
        if self.signature is not None:
            return dict(function.structured_input_signature[1])
        for concrete in getattr(function, "concrete_functions", ()):
            positional, _ = concrete.structured_input_signature
            if positional and isinstance(positional[0], tf.TensorSpec):
                return {"": positional[0]}
        return {}

    def _describe_handle(self) -> str:
        """Describes the handle for messages, without the secrets of an address."""
        return repr(redact(self.handle) if isinstance(self.handle, str) else self.handle)

    def _check_text(self, inputs: Any, cause: Exception) -> None:
        """Checks, after a call has failed, that text was passed as the object takes it.

        Args:
            inputs: The inputs of the call.
            cause: The exception that the call raised.

        Raises:
            SignatureMismatchError: If the object takes text, and the input is of another type or
                shape; the message says how to pass text.
        """
        specs = self._find_input_specs()
        given = inputs if isinstance(inputs, Mapping) else dict.fromkeys(list(specs)[:1], inputs)
        for name, spec in specs.items():
            value: Any = given.get(name)
            if spec.dtype == tf.string and tf.is_tensor(value) and not _is_compatible(value, spec):
                raise SignatureMismatchError(
                    f"KerasLayer has an input of text, of shape {spec.shape}, but got "
                    f"{value.dtype.name} of shape {value.shape}. Begin the model with "
                    f"keras.Input(shape={_drop_batch(spec.shape)}, dtype='string'), and pass "
                    "it tensors of strings of that shape."
                ) from cause

    def _run(self, inputs: Any, training: bool) -> Any:
        if self._calls_signature and self.arguments:
            inputs = self._add_arguments(inputs)
        if isinstance(self.loaded, ReusableModule):
            outputs = self.loaded.apply(inputs, self.signature, training)
            if not self.outputs_as_dict and self.output_key is None:
                return outputs.get(DEFAULT, outputs)
        elif self.signature is not None:
            outputs = self._run_signature(inputs)
        else:
            extra = {"training": training} if self.takes_training else {}
            outputs = self.loaded(inputs, **self.arguments, **extra)
        return outputs if self.output_key is None else self._pick_output(outputs)

    def _add_arguments(self, inputs: Any) -> dict[str, Any]:
        if not isinstance(inputs, Mapping):
            raise SignatureMismatchError(
                f"KerasLayer has arguments for {sorted(self.arguments)}, which are inputs of a "
                "signature. Pass its other inputs by name too, in a dict."
            )
        return {**inputs, **self.arguments}

    def _run_signature(self, inputs: Any) -> Any:
        if not isinstance(inputs, Mapping):
            return self._function(tf.convert_to_tensor(inputs))
        return self._function(**{k: tf.convert_to_tensor(v) for k, v in inputs.items()})

    def _pick_output(self, outputs: Any) -> Any:
        if not isinstance(outputs, Mapping) or self.output_key not in outputs:
            found = f"the object returns {type(outputs).__name__}, not a dict; leave it out"
            if isinstance(outputs, Mapping):
                found = f"the outputs are {sorted(outputs)}; pass one of these names"
            raise SignatureMismatchError(
                f"KerasLayer has output_key='{self.output_key}', but {found}."
            )
        return outputs[self.output_key]

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of a KerasLayer that make the same layer.

        Raises:
            NotSerializableError: If the handle is not a string, or JSON cannot hold an argument.
        """
        if not isinstance(self.handle, str):
            raise NotSerializableError(
                "A KerasLayer has a config only if its handle is a string, not an object: save "
                "the object with tf.saved_model.save(), and pass the path."
            )
        config = {
            "handle": self.handle,
            "arguments": self.arguments or None,
            "tags": self.tags,
            "signature": self.signature,
            "signature_outputs_as_dict": self.outputs_as_dict,
            "output_key": self.output_key,
            "output_shape": shapes.convert_to_lists(self.output_shape),
        }
        try:
            json.dumps(config)
        except TypeError as error:
            raise NotSerializableError(
                f"The config of a KerasLayer must be JSON: {error}"
            ) from error
        return {key: value for key, value in config.items() if value is not None}


def _is_compatible(value: Any, spec: tf.TypeSpec) -> bool:
    return value.dtype == spec.dtype and spec.shape.is_compatible_with(value.shape)


def _drop_batch(shape: tf.TensorShape) -> tuple[int | None, ...]:
    return tuple(shape.as_list()[1:]) if shape.rank else ()

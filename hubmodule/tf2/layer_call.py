"""What a KerasLayer does, whichever Keras it is a layer of."""

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
from hubmodule.tf2 import shapes
from hubmodule.tf2.load import load
from hubmodule.tf2.reusable_module import DEFAULT, ReusableModule

_logger = logging.getLogger("hubmodule")


class LayerCall:
    """A loaded object, and how a layer calls it.

    Args:
        handle: a string or path to load, or a callable.
        arguments: passed to each call by name.
        tags, options: as hub.load().
        signature: to call instead of the object.
        outputs_as_dict: whether the signature's outputs are returned in a dict.
        output_key: which output to return.
        output_shape: of the outputs, without the batch; a dict or list of them for a dict or
            list, in which None leaves a shape open.

    Raises:
        ModuleDefinitionError: if these do not go together, or the object cannot be called.
        as hub.load(), if it is a string.
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
        self.output_shape = shapes.parsed(output_shape)
        self.loaded = self.handle
        if isinstance(self.handle, str):
            self.loaded = load(self.handle, tags=self.tags, options=options)
        self._told_untrainable = False
        self._check_outputs()
        self._function = self._chosen_function()
        self.takes_training = isinstance(self.loaded, ReusableModule) or (
            signature is None
            and any("training" in _tf.parameters(f) for f in (self._function, self._keras_call))
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
        """Whether it is a signature that is called, with inputs by name."""
        return self.signature is not None or isinstance(self.loaded, ReusableModule)

    def _chosen_function(self) -> Callable[..., Any]:
        signatures = getattr(self.loaded, "signatures", {})
        if self.signature is not None:
            if self.signature not in signatures:
                raise NoSuchSignatureError(
                    f"There is no signature '{self.signature}'; there are {sorted(signatures)}."
                )
            return signatures[self.signature]
        if not callable(self.loaded):
            raise ModuleDefinitionError(
                f"{self.handle!r} cannot be called. Pass one of its signatures to KerasLayer as "
                f"`signature`: {sorted(signatures)}."
            )
        if inspect.isroutine(self.loaded):
            return self.loaded  # whose __call__ does not tell its parameters
        return getattr(self.loaded, "__call__", self.loaded)  # noqa: B004  the function, if it is one

    @property
    def _keras_call(self) -> Callable[..., Any]:
        """What the __call__ of a Keras layer, which takes anything, leads to."""
        return getattr(self.loaded, "call", self._function)

    @property
    def trainable_variables(self) -> list[tf.Variable]:
        """Those that an optimiser may change."""
        return list(getattr(self.loaded, "trainable_variables", ()))

    @property
    def other_variables(self) -> list[tf.Variable]:
        """The rest."""
        trained = {id(variable) for variable in self.trainable_variables}
        return [v for v in getattr(self.loaded, "variables", ()) if id(v) not in trained]

    @property
    def losses(self) -> list[Callable[[], tf.Tensor]]:
        """The regularisation losses."""
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
        if not self.trainable_variables and not self._told_untrainable:
            self._told_untrainable = True
            _logger.error(
                "A KerasLayer has trainable=True, but no trainable weights: %r %s. Nothing of it "
                "will be trained.",
                self.handle,
                "has no trainable variables"
                if hasattr(self.loaded, "trainable_variables")
                else "has no attribute `trainable_variables`, a list of the variables to train",
            )

    def __call__(self, inputs: Any, training: Any) -> Any:
        """Computes the outputs that the layer gives for its inputs.

        Raises:
            SignatureMismatchError: If the inputs do not fit.
        """
        try:
            return self._choose_mode(inputs, training)
        except (TypeError, ValueError) as error:
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
        return shapes.with_shape(outputs, self.output_shape)

    def shapes(self, input_shape: Any, dtype: Any) -> Any:
        """Computes the shapes of the outputs, each a tf.TensorShape.

        Args:
            input_shape: The shapes of the inputs, with the batch; nested like the inputs.
            dtype: The type of inputs of which the loaded object tells no type.
        """
        if self.output_shape is not None:
            return shapes.batched(self.output_shape, input_shape)
        dtypes = {name: spec.dtype for name, spec in self._input_specs().items()}
        specs = shapes.make_specs(input_shape, dtypes, tf.as_dtype(dtype))
        run = tf.function(lambda inputs: self(inputs, False), autograph=False)
        outputs = run.get_concrete_function(specs).structured_outputs
        return tf.nest.map_structure(lambda output: output.shape, outputs)

    def _input_specs(self) -> dict[str, Any]:
        """Describes the inputs of what is called by name; without a name, the key is ""."""
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

    def _check_text(self, inputs: Any, cause: Exception) -> None:
        """Says how to pass text, if that may be what is wrong with inputs.

        Raises:
            SignatureMismatchError: If an input is text, but of another type or shape.
        """
        specs = self._input_specs()
        given = inputs if isinstance(inputs, Mapping) else dict.fromkeys(list(specs)[:1], inputs)
        for name, spec in specs.items():
            value: Any = given.get(name)
            if spec.dtype == tf.string and tf.is_tensor(value) and not _fits(value, spec):
                raise SignatureMismatchError(
                    f"KerasLayer has an input of text, of shape {spec.shape}, but got "
                    f"{value.dtype.name} of shape {value.shape}. Begin the model with "
                    f"keras.Input(shape={_without_batch(spec.shape)}, dtype='string'), and pass "
                    "it tensors of strings of that shape."
                ) from cause

    def _run(self, inputs: Any, training: bool) -> Any:
        if self._calls_signature and self.arguments:
            inputs = self._with_arguments(inputs)
        if isinstance(self.loaded, ReusableModule):
            outputs = self.loaded.apply(inputs, self.signature, training)
            if not self.outputs_as_dict and self.output_key is None:
                return outputs.get(DEFAULT, outputs)
        elif self.signature is not None:
            outputs = self._run_signature(inputs)
        else:
            extra = {"training": training} if self.takes_training else {}
            outputs = self.loaded(inputs, **self.arguments, **extra)
        return outputs if self.output_key is None else self._picked(outputs)

    def _with_arguments(self, inputs: Any) -> dict[str, Any]:
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

    def _picked(self, outputs: Any) -> Any:
        if not isinstance(outputs, Mapping) or self.output_key not in outputs:
            found = sorted(outputs) if isinstance(outputs, Mapping) else type(outputs).__name__
            raise SignatureMismatchError(
                f"KerasLayer has output_key='{self.output_key}', but the outputs are {found}."
            )
        return outputs[self.output_key]

    def config(self) -> dict[str, Any]:
        """The arguments that make the same layer.

        Raises:
            NotSerializableError: if the handle is not a string, or an argument no JSON.
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
            "output_shape": shapes.plain(self.output_shape),
        }
        try:
            json.dumps(config)
        except TypeError as error:
            raise NotSerializableError(
                f"The config of a KerasLayer must be JSON: {error}"
            ) from error
        return {key: value for key, value in config.items() if value is not None}


def _fits(value: Any, spec: tf.TypeSpec) -> bool:
    return value.dtype == spec.dtype and spec.shape.is_compatible_with(value.shape)


def _without_batch(shape: tf.TensorShape) -> tuple[int | None, ...]:
    return tuple(shape.as_list()[1:]) if shape.rank else ()

"""What the KerasLayer of Keras 2 and that of Keras 3 have in common."""

from __future__ import annotations

import contextlib
import types
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

from hubmodule.errors import BackendError, HandleNotFoundError, ModuleDefinitionError
from hubmodule.tf2.layer_call import LayerCall

_new_handles: ContextVar[Mapping[str, str]] = ContextVar(
    "new_handles", default=types.MappingProxyType({})
)


class ModuleLayer:
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

    # The Keras whose Layer is the next base of the class.
    _keras: Any
    trainable: bool

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
        if self._keras.backend.backend() != "tensorflow":
            raise BackendError(
                f"hub.KerasLayer computes with TensorFlow, but the backend of Keras is "
                f"'{self._keras.backend.backend()}'. Set KERAS_BACKEND=tensorflow before "
                "importing keras."
            )
        # Not the global policy: what a module computes in is fixed when it is made.
        kwargs.setdefault("dtype", self._keras.backend.floatx())
        super().__init__(trainable=trainable, **kwargs)  # type: ignore[call-arg]
        self._check_options(kwargs)
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
        self._take_weights()
        self.built = True

    def _check_options(self, options: Mapping[str, Any]) -> None:
        """Refuses options of a Layer that this one cannot have."""

    @abstractmethod
    def _take_weights(self) -> None:
        """Makes the variables of the loaded object weights of the layer."""

    @property
    @abstractmethod
    def _casts(self) -> bool:
        """Whether floats are cast to the type of the layer."""

    def _apply(self, inputs: Any, training: Any) -> Any:
        """Applies the module; for training only if the layer is trainable."""
        if self.trainable:
            self._call.check_trainable()
        return self._call(inputs, training if self.trainable else False)

    @property
    def resolved_object(self) -> Any:
        """The object that is called: what hub.load() gave for the handle, or the handle."""
        return self._loaded

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Makes a layer from the arguments that get_config() gave.

        Raises:
            HandleNotFoundError: If the module is no longer at its handle.
        """
        handle = _new_handles.get().get(config["handle"], config["handle"])
        try:
            return super().from_config({**config, "handle": handle})  # type: ignore[misc]
        except (HandleNotFoundError, TypeError) as raised:
            error = _missing_module(raised)
            if error is None:
                raise
            raise HandleNotFoundError(
                f"{error.message} A saved model stores the handle of the module, not the module. "
                "If the module has moved, load the model with its new handle: with "
                f"hub.KerasLayer.replace_handles({{{handle!r}: '/new/handle'}}): "
                "keras.models.load_model(path)."
            ) from error

    @staticmethod
    @contextlib.contextmanager
    def replace_handles(handles: Mapping[str, str]) -> Iterator[None]:
        """Loads saved models whose modules have moved.

            with hub.KerasLayer.replace_handles({"/old/module": "/new/module"}):
                model = keras.models.load_model("model.keras")

        Args:
            handles: The new handle for each stored handle; others stay.
        """
        token = _new_handles.set(handles)
        try:
            yield
        finally:
            _new_handles.reset(token)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer.

        Raises:
            NotSerializableError: if the handle is not a string, or an argument no JSON.
        """
        config = super().get_config()  # type: ignore[misc]
        config = {**config, **self._call.config(), "trainable": self.trainable}
        if not self._casts:
            config["autocast"] = False
        return config


def _missing_module(error: BaseException | None) -> HandleNotFoundError | None:
    """Finds the HandleNotFoundError that led to an error: Keras 3 raises a TypeError of its own."""
    while error is not None and not isinstance(error, HandleNotFoundError):
        error = error.__cause__ or error.__context__
    return error

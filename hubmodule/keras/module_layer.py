"""The base class of KerasLayer in Keras 2 and in Keras 3."""

from __future__ import annotations

import contextlib
import os
import types
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

from hubmodule.errors import (
    BackendError,
    DownloadError,
    HandleNotFoundError,
    HubModuleError,
    ModuleDefinitionError,
)
from hubmodule.keras.layer_call import LayerCall
from hubmodule.urls import redact

_new_handles: ContextVar[Mapping[str, str]] = ContextVar(
    "new_handles", default=types.MappingProxyType({})
)


class ModuleLayer:
    """A module or a SavedModel as a Keras layer, in Keras 2 and Keras 3.

        >>> model = tf.keras.Sequential([
        ...     tf.keras.Input(shape=(), dtype="string"),
        ...     hub.KerasLayer("modules/text", trainable=True),
        ...     tf.keras.layers.Dense(1),
        ... ])
        >>> model(tf.constant(["a text", "another"])).shape
        TensorShape([2, 1])

    The layer takes what the module takes: a tensor with the batch as its first dimension, e.g.
    strings of shape [batch], or a dict of the inputs by name. It returns the output "default", e.g.
    float32 of shape [batch, N].

    Its weights are the loaded object's own variables. A frozen layer (trainable=False) runs
    with training=False and has no losses.

    Args:
        handle: The handle of a module or SavedModel, a string or path; or a callable.
        trainable: Whether to train the weights. The attribute of this name may be changed at any
            time.
        arguments: A dict of arguments that each call passes to the callable or signature, by
            name. The layer has a config only if they can be written as JSON.
        tags: The tags of the graph variant, as in hub.load().
        signature: The name of the signature to call; None means the object itself.
        signature_outputs_as_dict: Whether the result is the dict of all outputs of the
            signature.
        output_key: The name of the output to return; None means the output "default" of a
            module, and the whole result of another object.
        output_shape: The shape of the output without the batch, e.g. [3]; or a dict or list of
            shapes for a dict or list of outputs. None means that a shape is not known.
        load_options: A tf.saved_model.LoadOptions, as in hub.load().
        **kwargs: The arguments of keras.layers.Layer, e.g. `name` and `dtype`.

    Raises:
        BackendError: If the backend of Keras is not TensorFlow.
        HandleNotFoundError: If nothing exists at the handle; further exceptions are those of
            hub.load().
        ModuleDefinitionError: If arguments contradict each other, or the object cannot be called.
        NoSuchSignatureError: If no signature has this name.
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
            raise ModuleDefinitionError(
                "Pass only `handle`, `trainable` and `arguments` to KerasLayer by position, and "
                "`tags` and what follows by name."
            )
        if self._keras.backend.backend() != "tensorflow":
            raise BackendError(
                f"hub.KerasLayer computes with TensorFlow, but the backend of Keras is "
                f"'{self._keras.backend.backend()}'. Set KERAS_BACKEND=tensorflow before "
                "importing keras."
            )
        # Not the global policy: a module computes in the types that it was made with.
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
        self._loaded = self._call.loaded  # Tracked, so that its tables are saved.
        self._add_weights()
        self.built = True

    def __repr__(self) -> str:
        handle = self._call.handle
        shown = redact(handle) if isinstance(handle, str) else handle
        return f"<hub.KerasLayer {self.name!r} of {shown!r}, trainable={self.trainable}>"  # type: ignore[attr-defined]

    def _check_options(self, options: Mapping[str, Any]) -> None:
        """Checks the arguments of keras.layers.Layer.

        Raises:
            ModuleDefinitionError: If a KerasLayer does not support one.
        """

    @abstractmethod
    def _add_weights(self) -> None:
        """Makes the variables of the loaded object weights of the layer."""

    @property
    @abstractmethod
    def _is_autocast(self) -> bool:
        """Whether floating-point inputs are cast to the dtype of the layer."""

    def _apply(self, inputs: Any, training: Any) -> Any:
        """Applies the module; for training only if the layer is trainable."""
        if self.trainable:
            self._call.check_trainable()
        return self._call(inputs, training if self.trainable else False)

    @property
    def resolved_object(self) -> Any:
        """The object that is called: what hub.load() returned for the handle, or the callable."""
        return self._loaded

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Makes a layer from the arguments that get_config() returned.

        Args:
            config: The arguments, by name.

        Raises:
            HandleNotFoundError: If the module is no longer at its handle, or its address does
                not answer.
        """
        stored = config.get("handle", "")
        try:
            handle = _find_new_handle(stored)
            return super().from_config({**config, "handle": handle})  # type: ignore[misc]
        except (DownloadError, HandleNotFoundError, TypeError) as raised:
            error = _find_missing_module(raised)
            if error is None:
                raise
            raise HandleNotFoundError(
                f"{error.message} A saved model stores the handle of the module, not the module. "
                "If the module has moved, load the model with its new handle: with "
                f"hub.KerasLayer.replace_handles({{{redact(stored)!r}: '/new/handle'}}): "
                "keras.models.load_model(path)."
            ) from error

    @staticmethod
    @contextlib.contextmanager
    def replace_handles(
        handles: Mapping[str | os.PathLike[str], str | os.PathLike[str]],
    ) -> Iterator[None]:
        """Loads saved models whose modules have moved, in the current thread.

            with hub.KerasLayer.replace_handles({"/old/module": "/new/module"}):
                model = keras.models.load_model("model.keras")

        Args:
            handles: A dict from stored handles to new ones; other handles are unchanged. An
                address may be given without its query. Nested contexts add to the outer ones.

        Raises:
            ModuleDefinitionError: If `handles` is not a dict of strings or paths.
        """
        paths = (str, os.PathLike)
        if not isinstance(handles, Mapping) or not all(
            isinstance(each, paths) for pair in handles.items() for each in pair
        ):
            raise ModuleDefinitionError(
                "hub.KerasLayer.replace_handles() takes a dict from stored handles to new ones, "
                f"all strings or paths, not {handles!r}."
            )
        added = {_make_key(old): os.fspath(new) for old, new in handles.items()}
        token = _new_handles.set({**_new_handles.get(), **added})
        try:
            yield
        finally:
            _new_handles.reset(token)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the layer.

        Raises:
            NotSerializableError: If the handle is not a string, or JSON cannot hold an argument.
        """
        config = super().get_config()  # type: ignore[misc]
        config = {**config, **self._call.get_config(), "trainable": self.trainable}
        if not self._is_autocast:
            config["autocast"] = False
        return config


def _make_key(handle: str | os.PathLike[str]) -> str:
    return os.fspath(handle).rstrip("/")


def _find_new_handle(stored: str) -> str:
    new_handles = _new_handles.get()
    keys = (_make_key(stored), _make_key(redact(stored)))
    return next((new_handles[key] for key in keys if key in new_handles), stored)


def _find_missing_module(error: BaseException | None) -> HubModuleError | None:
    """Finds the error about a missing module, from which Keras 3 raises a TypeError."""
    while error is not None:
        if isinstance(error, (DownloadError, HandleNotFoundError)):
            return error
        error = error.__cause__ or error.__context__
    return None

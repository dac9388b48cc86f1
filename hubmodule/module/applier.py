"""hub.ModuleApplier: a module as a function of batches that can be sent to other processes."""

from __future__ import annotations

import contextlib
import copy
import os
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hubmodule.errors import (
    ElementError,
    HubModuleError,
    InvalidHandleError,
    SignatureMismatchError,
)
from hubmodule.module import values
from hubmodule.module.batches import split_batch, stack_elements
from hubmodule.module.evaluate import Evaluation, open_evaluation

_LONGEST_ELEMENT = 200

# These come from the process or its devices, and another element would raise them, too.
_NOT_OF_AN_ELEMENT = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.UnavailableError,
)
_OF_AN_ELEMENT = (TypeError, ValueError, tf.errors.OpError)


class ModuleApplier:
    """A module as a function of batches, for engines that send functions to processes.

        >>> embed = hub.ModuleApplier("modules/text")
        >>> vectors = embed(["A sentence.", "Another one."])
        >>> vectors.shape, vectors.dtype
        ((2, 4), dtype('float32'))

    It is pickled as its arguments. Each process loads the module when it first needs it, in a
    graph and a session of its own. Threads may use it at the same time. What was loaded is
    closed when the applier is deleted, or when Python ends.

    Args:
        handle: The handle of the module: the path of its directory, on any file system that
            TensorFlow knows, or the path or address of an archive. Each process must be able
            to resolve it.
        signature: The name of the signature; None means "default".
        tags: The tags of the graph variant, e.g. {"train"}; None means the variant without
            tags.
        output: The name of an output, to get its value; or a list of names, to get a dict.
            None means the output "default" or, if the signature has none, a dict of all.
        session_config: Options of the session, e.g. the number of its threads or its share
            of the memory of a GPU; None means the options of hub.eval_function_for_module().

    Raises:
        InvalidHandleError: If `handle` is neither a string nor a path.
    """

    def __init__(
        self,
        handle: str | os.PathLike[str],
        signature: str | None = None,
        tags: Iterable[str] | None = None,
        output: str | Sequence[str] | None = None,
        session_config: tf.compat.v1.ConfigProto | None = None,
    ):
        if not isinstance(handle, (str, os.PathLike)):
            raise InvalidHandleError(
                f"A {type(handle).__name__} cannot be sent to other processes as a module; pass "
                "a handle, such as the path of the directory that the module was exported to."
            )
        self.handle = os.fsdecode(handle)
        self._signature = signature or "default"
        self._tags = None if tags is None else sorted(tags)
        self._output = output if output is None or isinstance(output, str) else list(output)
        self._config = None if session_config is None else session_config.SerializeToString()
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._loaded: _LoadedSignature | None = None
        self._context = contextlib.ExitStack()

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        for name in ("_lock", "_loaded", "_context"):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def __repr__(self) -> str:
        return f"<hub.ModuleApplier of {self.handle}, signature {self._signature!r}>"

    def __call__(self, inputs: Any = None) -> Any:
        """Computes the outputs for a batch.

        Args:
            inputs: The inputs of hub.eval_function_for_module(): a dict from names to values;
                or the value of the only input; or None if the signature has no inputs.

        Returns:
            The value of the output, or a dict from the names of outputs to values: arrays,
            SparseTensorValues and RaggedTensorValues.

        Raises:
            HubModuleError: If the module cannot be loaded, or the inputs do not fit.
        """
        loaded = self._load()
        return loaded.pack(loaded.compute(loaded.name_inputs(inputs)))

    def apply_to_elements(
        self, elements: Sequence[Any], inputs: Mapping[str, Any] | None = None
    ) -> list[Any]:
        """Computes the outputs for the elements of a batch.

        If the first dimension of the inputs is a constant, several batches of this size are
        computed; copies of the last element fill the last batch.

        Args:
            elements: For each element its value, without the first dimension of the input, or
                a dict from the names of inputs to such values. A value of a sparse input is a
                SparseTensorValue; of a ragged input a list, an array or a RaggedTensorValue.
            inputs: A dict from the names of inputs to values that are the same for all
                elements; these are passed as they are, and elements do not contain them.

        Returns:
            A list with the value of the output, or the dict of outputs, of each element.

        Raises:
            ElementError: If an element does not fit or an op fails, or an output does not have
                a row for each element.
            HubModuleError: If the module cannot be loaded, or `inputs` has unknown names.
        """
        loaded = self._load()
        loaded.list_varying(inputs or {})
        try:
            return loaded.map_elements(elements, inputs or {})
        except _NOT_OF_AN_ELEMENT:
            raise
        except _OF_AN_ELEMENT as error:
            raise self._make_error(elements, error) from error

    def try_elements(
        self, elements: Sequence[Any], inputs: Mapping[str, Any] | None = None
    ) -> list[Any]:
        """Computes the outputs for the elements of a batch, some of which may fail.

        If a batch fails, its halves are tried, so one element that fails costs about twice the
        time of the batch.

        Args:
            elements: As for apply_to_elements().
            inputs: As for apply_to_elements().

        Returns:
            A list as apply_to_elements() returns it, with an ElementError in the place of each
            element that fails.

        Raises:
            HubModuleError: If the module cannot be loaded, or `inputs` has unknown names.
        """
        loaded = self._load()
        loaded.list_varying(inputs or {})
        return self._try_halves(loaded, elements, inputs or {})

    def copy(self, handle: str | None = None) -> ModuleApplier:
        """Returns an applier with the same arguments, which has not loaded anything.

        Args:
            handle: Another handle; None means the same one.
        """
        applier = copy.copy(self)
        applier.handle = handle or self.handle
        return applier

    def load(self) -> None:
        """Loads the module; the other methods do this when they need it.

        Raises:
            HubModuleError: If the module cannot be loaded, or lacks the signature or an output.
        """
        self._load()

    def close(self) -> None:
        """Closes what was loaded; a later call loads it again."""
        with self._lock:
            self._loaded = None
            self._context.close()

    def _load(self) -> _LoadedSignature:
        with self._lock:
            if self._loaded is None:
                config = self._config
                options = config and tf.compat.v1.ConfigProto.FromString(config)
                evaluation = self._context.enter_context(
                    open_evaluation(self.handle, self._tags, options or None)
                )
                self._loaded = _LoadedSignature(evaluation, self._signature, self._output)
            return self._loaded

    def _try_halves(
        self, loaded: _LoadedSignature, elements: Sequence[Any], inputs: Mapping[str, Any]
    ) -> list[Any]:
        try:
            return loaded.map_elements(elements, inputs)
        except _NOT_OF_AN_ELEMENT:
            raise
        except _OF_AN_ELEMENT as error:
            if len(elements) == 1:
                return [self._make_error(elements, error)]
        middle = len(elements) // 2
        halves = elements[:middle], elements[middle:]
        return [result for half in halves for result in self._try_halves(loaded, half, inputs)]

    def _make_error(self, elements: Sequence[Any], error: Exception) -> ElementError:
        what = (
            f"the element {_shorten(elements[0])}"
            if len(elements) == 1
            else f"a batch of {len(elements)} elements"
        )
        message = f"The module {self.handle} cannot compute {what}: {_describe_error(error)}"
        return ElementError(message)


class _LoadedSignature:
    """A signature of a module in a session, and what is wanted of its outputs.

    Args:
        evaluation: The module in its session.
        signature: The name of the signature.
        output: The argument of ModuleApplier.
    """

    def __init__(self, evaluation: Evaluation, signature: str, output: str | list[str] | None):
        self._evaluation = evaluation
        self._signature = signature
        self._infos = evaluation.module.get_input_info_dict(signature)
        known = evaluation.module.get_output_info_dict(signature)
        if output is None:
            output = "default" if "default" in known else list(known)
        self._is_dict = not isinstance(output, str)
        self._outputs = [output] if isinstance(output, str) else output
        unknown = sorted(set(self._outputs) - set(known))
        if unknown:
            raise SignatureMismatchError(
                f"Signature '{signature}' has no outputs {unknown}; it has {list(known)}."
            )
        evaluation.apply(signature)  # Makes errors appear now, not with the first batch.

    def name_inputs(self, inputs: Any) -> dict[str, Any]:
        """Returns the inputs of a call by name."""
        return values.name_inputs(self._infos, inputs, self._signature)

    def compute(self, inputs: Mapping[str, Any]) -> list[Any]:
        """Computes the values of the wanted outputs, in their order."""
        return self._evaluation.fetch(self._signature, inputs, self._outputs)

    def pack(self, results: Sequence[Any]) -> Any:
        """Makes from the values of the wanted outputs what a call returns."""
        return dict(zip(self._outputs, results, strict=True)) if self._is_dict else results[0]

    def list_varying(self, common: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the inputs that differ between elements, by name."""
        unknown = sorted(set(common) - set(self._infos), key=str)
        if unknown:
            raise SignatureMismatchError(
                f"Signature '{self._signature}' has no inputs {unknown}; it has "
                f"{list(self._infos)}."
            )
        return {name: info for name, info in self._infos.items() if name not in common}

    def map_elements(self, elements: Sequence[Any], common: Mapping[str, Any]) -> list[Any]:
        """Computes the outputs for elements, in batches of the size that the inputs have."""
        infos = self.list_varying(common)
        sizes = {tf.compat.dimension_value(shape[0]) for shape in _list_known_shapes(infos)}
        size = next((size for size in sizes if size), None)
        if size is None:
            return self._map_batch(infos, elements, common)
        results: list[Any] = []
        for start in range(0, len(elements), size):
            part = list(elements[start : start + size])
            padded = part + [part[-1]] * (size - len(part))
            results += self._map_batch(infos, padded, common)[: len(part)]
        return results

    def _map_batch(
        self, infos: Mapping[str, Any], elements: Sequence[Any], common: Mapping[str, Any]
    ) -> list[Any]:
        if not elements:
            return []
        results = self.compute({**stack_elements(infos, elements), **common})
        columns = [
            split_batch(name, value, len(elements))
            for name, value in zip(self._outputs, results, strict=True)
        ]
        if not self._is_dict:
            return columns[0]
        return [dict(zip(self._outputs, row, strict=True)) for row in zip(*columns, strict=True)]


def _list_known_shapes(infos: Mapping[str, Any]) -> list[tf.TensorShape]:
    shapes = [info.get_shape() for info in infos.values()]
    return [shape for shape in shapes if shape.rank]


def _describe_error(error: Exception) -> str:
    """Describes an error without the places of ops that TensorFlow adds to its message."""
    message = str(error)
    if isinstance(error, tf.errors.OpError) and not isinstance(error, HubModuleError):
        message = error.message.partition("\n\nOriginal stack")[0]
        message = re.sub(
            r"^Graph execution error:.*?\nNode: [^\n]*\n", "", message, flags=re.DOTALL
        )
    return f"{type(error).__name__}: {message}"


def _shorten(element: Any) -> str:
    text = repr(element)
    return text if len(text) <= _LONGEST_ELEMENT else f"{text[:_LONGEST_ELEMENT]}..."

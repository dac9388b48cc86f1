"""hubmodule.beam.ModuleHandler: modules for Apache Beam's RunInference."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf
from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from hubmodule.beam.sizes import count_bytes
from hubmodule.errors import ElementError, SignatureMismatchError
from hubmodule.module.applier import ModuleApplier

METRICS_NAMESPACE = "hubmodule"

# What PredictionResult() does, in a fifth of its time.
_make_result = functools.partial(tuple.__new__, PredictionResult)


class ModuleHandler(ModelHandler[Any, Any, ModuleApplier]):
    """Applies a module to the elements of a PCollection, with Apache Beam's RunInference.

        results = sentences | RunInference(ModuleHandler("/path/to/module"))
        vectors = results | beam.Map(lambda result: result.inference)

    An element is the value of the only input of the signature, without its first dimension,
    which is that of the batch; or a dict from the names of inputs to such values. A value is
    a Python value or NumPy array; for a sparse input a SparseTensorValue; for a ragged input a
    list, an array or a RaggedTensorValue.

    The result for an element is a PredictionResult: `example` is the element, `inference` is
    the value of the output or a dict of outputs, and `model_id` is the handle.

    RunInference takes `inference_args`, a dict from the names of inputs to values that are the
    same for all elements; elements do not contain these inputs.

    Args:
        handle: The handle of the module. Each worker must be able to resolve it.
        signature: The name of the signature; None means "default".
        tags: The tags of the graph variant, e.g. {"train"}; None means the variant without
            tags.
        output: The name of an output, to get its value; or a list of names, to get a dict.
            None means the output "default" or, if the signature has none, a dict of all.
        keyed: Whether elements are pairs of a key and an element; results are then pairs of
            the key and a PredictionResult.
        isolate_failures: Whether an element that the module cannot compute fails alone. With
            RunInference's `with_exception_handling()` it then is in `failed_postprocessing[0]`
            of the dead letters. If this is False, the whole batch fails and is in
            `failed_inferences`, as with Beam's own handlers; Beam's KeyedModelHandler needs
            False.
        session_config: Options of the session, e.g. the number of its threads; None means
            the options of hub.eval_function_for_module().
        options: The arguments of Beam's ModelHandler, e.g. `min_batch_size`,
            `max_batch_size`, `max_batch_duration_secs`, `element_size_fn`, `batch_length_fn`,
            `large_model`, `model_copies` and `env_vars`.

    Raises:
        InvalidHandleError: If `handle` is neither a string nor a path.
    """

    def __init__(
        self,
        handle: str | os.PathLike[str],
        signature: str | None = None,
        tags: Iterable[str] | None = None,
        output: str | Sequence[str] | None = None,
        *,
        keyed: bool = False,
        isolate_failures: bool = True,
        session_config: tf.compat.v1.ConfigProto | None = None,
        **options: Any,
    ):
        super().__init__(**options)
        self._applier = ModuleApplier(handle, signature, tags, output, session_config)
        self._keyed = keyed
        self._isolates = isolate_failures

    def __repr__(self) -> str:
        return f"ModuleHandler({self._applier.handle!r})"

    def load_model(self) -> ModuleApplier:
        """Loads the module into a session, which is closed when Beam drops the result.

        Raises:
            HubModuleError: If the module cannot be loaded, or lacks the signature or an output.
        """
        model = self._applier.copy()
        model.load()
        return model

    def run_inference(
        self,
        batch: Sequence[Any],
        model: ModuleApplier,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[Any]:
        """Applies the module to a batch.

        Args:
            batch: The elements.
            model: What load_model() returned, or Beam's proxy of it in another process.
            inference_args: A dict from the names of inputs to values that are the same for
                all elements.

        Returns:
            A list with the result of each element. The `inference` of an element that fails is
            an ElementError, if elements fail alone.

        Raises:
            ElementError: If the module cannot compute an element, and elements do not fail
                alone.
            HubModuleError: If the names of `inference_args` are not inputs.
        """
        elements = [element for _, element in batch] if self._keyed else batch
        if self._isolates:
            outputs = model.try_elements(elements, inference_args)
        else:
            outputs = model.apply_to_elements(elements, inference_args)
        handles = itertools.repeat(self._applier.handle, len(elements))
        results = list(map(_make_result, zip(elements, outputs, handles, strict=True)))
        if self._keyed:
            return [(key, result) for (key, _), result in zip(batch, results, strict=True)]
        return results

    def get_num_bytes(self, batch: Sequence[Any]) -> int:
        """Returns the number of bytes of the data of a batch, without its keys."""
        return count_bytes(element for _, element in batch) if self._keyed else count_bytes(batch)

    def get_metrics_namespace(self) -> str:
        """Returns the namespace of the metrics, if RunInference gets none."""
        return METRICS_NAMESPACE

    def validate_inference_args(self, inference_args: dict[str, Any] | None) -> None:
        """Checks that the arguments of RunInference are inputs by name.

        Whether the signature has these inputs is checked where the module is loaded.

        Raises:
            SignatureMismatchError: If it is not a dict, or its keys are not strings.
        """
        if inference_args is None:
            return
        if not isinstance(inference_args, dict) or not all(
            isinstance(name, str) for name in inference_args
        ):
            raise SignatureMismatchError(
                f"inference_args is {inference_args!r}; pass a dict from the names of inputs to "
                "values that are the same for all elements."
            )

    def update_model_path(self, model_path: str | None = None) -> None:
        """Changes the handle; Beam then loads the module of the new one.

        Args:
            model_path: The handle of the new module, e.g. of the next version; None or ""
                keeps the present one.
        """
        if model_path:
            self._applier = self._applier.copy(model_path)

    def get_postprocess_fns(self) -> Iterable[Callable[[Any], Any]]:
        """Returns the function that makes elements fail alone."""
        return [_raise_failure] if self._isolates else []


def _raise_failure(result: Any) -> Any:
    """Returns the result of an element, or raises its error, which run_inference() returned."""
    prediction = result if isinstance(result, PredictionResult) else result[1]
    if isinstance(prediction.inference, ElementError):
        raise prediction.inference
    return result

"""hubmodule.beam.ModuleEmbeddings: modules for Apache Beam's MLTransform."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.ml.inference.base import RunInference
from apache_beam.ml.transforms.base import EmbeddingsManager, EmbeddingTypeAdapter

from hubmodule.beam.handler import ModuleHandler
from hubmodule.module.applier import ModuleApplier


class ModuleEmbeddings(EmbeddingsManager):
    """Replaces columns by their embeddings, with Apache Beam's MLTransform.

        rows | MLTransform(write_artifact_location=DIR).with_transform(
            ModuleEmbeddings("/path/to/module", columns=["title"])
        )

    Rows are dicts. An embedding is a list of numbers. If MLTransform handles exceptions, an
    element that fails takes the whole batch to the errors: MLTransform drops errors of single
    elements.

    Args:
        handle: The handle of the module. Each worker must be able to resolve it.
        columns: The names of the columns; all are computed with the same module. None means
            that `type_adapter` chooses.
        signature: The name of the signature, which has one input; None means "default".
        tags: The tags of the graph variant; None means the variant without tags.
        output: The name of the output; None means "default".
        options: The arguments of Beam's EmbeddingsManager: `type_adapter`, `inference_args`,
            `min_batch_size`, `max_batch_size` and `large_model`.
    """

    def __init__(
        self,
        handle: str | os.PathLike[str],
        columns: list[str] | None = None,
        signature: str | None = None,
        tags: Iterable[str] | None = None,
        output: str = "default",
        **options: Any,
    ):
        super().__init__(columns=columns, **options)
        self.handle = os.fspath(handle)
        self.signature = signature
        self.tags = None if tags is None else sorted(tags)
        self.output = output

    def get_model_handler(self) -> ModuleHandler:
        """Returns a handler that takes rows and returns rows."""
        return _RowHandler(
            self.type_adapter,
            self.handle,
            self.signature,
            self.tags,
            self.output,
            isolate_failures=False,
            min_batch_size=self.min_batch_size,
            max_batch_size=self.max_batch_size,
            large_model=self.large_model,
        )

    def get_ptransform_for_processing(self, **kwargs: Any) -> beam.PTransform:
        """Returns the transform from rows to rows, which MLTransform calls for."""
        del kwargs  # The location of artifacts: a module has none but its handle.
        return RunInference(self.get_model_handler(), inference_args=self.inference_args or None)


class _RowHandler(ModuleHandler):
    """A ModuleHandler for rows, whose values an adapter reads and replaces.

    Args:
        adapter: The functions from rows to values, and from rows and results to rows.
        arguments: The positional arguments of ModuleHandler.
        options: The named arguments of ModuleHandler.
    """

    def __init__(self, adapter: EmbeddingTypeAdapter, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self._adapter = adapter

    def __repr__(self) -> str:
        return "ModuleEmbeddings"  # The name of the transform in MLTransform's errors.

    def run_inference(
        self,
        batch: Sequence[Any],
        model: ModuleApplier,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[Any]:
        values = self._adapter.input_fn(batch)
        outputs = model.apply_to_elements(values, inference_args)
        vectors = [np.asarray(output).tolist() for output in outputs]
        return self._adapter.output_fn(batch, vectors)

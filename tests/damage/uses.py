"""What a program does with a module, in each way of use, with inputs of zeros.

Errors of a program's own run of the graph are not those of a load: a session, or a function
that is called, raises tf.errors.OpError, which is told apart as RunError.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import hubmodule as hub
from hubmodule.tf2.convert import convert

v1 = tf.compat.v1


class RunError(Exception):
    """An op failed when the program ran the graph."""


def _tensors(infos: Mapping[str, Any]) -> dict[str, Any]:
    """Zeros for each input: tensors of the default graph, or eager ones."""
    try:
        return {name: _zeros(info.type_spec) for name, info in infos.items()}
    except Exception as error:
        raise RunError(f"no value fits {infos}: {error}") from error


def _zeros(spec: Any) -> Any:
    """A value of a type, with 4 where the shape is not known."""
    shape = [4 if size is None else size for size in spec.shape] if spec.shape.rank else []
    if np.prod(shape, dtype=np.float64) > 1e6:
        raise RunError("the module wants a large input")
    if isinstance(spec, tf.SparseTensorSpec):
        return tf.SparseTensor([[0] * len(shape)], _filled([1], spec.dtype), shape)
    if isinstance(spec, tf.RaggedTensorSpec):
        flat = _filled([1, *shape[spec.ragged_rank + 1 :]], spec.dtype)
        splits = [tf.constant([0, 1], spec.row_splits_dtype)] * spec.ragged_rank
        return tf.RaggedTensor.from_nested_row_splits(flat, splits)
    return _filled(shape, spec.dtype)


def _filled(shape: Sequence[int], dtype: tf.DType) -> tf.Tensor:
    if dtype == tf.string:
        return tf.constant(np.full(shape, "a b", object))
    return tf.constant(np.zeros(shape, dtype.as_numpy_dtype), dtype)


def use_spec(directory: str) -> None:
    """Reads everything that a spec tells."""
    spec = hub.load_module_spec(directory)
    for tags in spec.get_tags():
        for name in spec.get_signature_names(tags):
            repr(spec.get_input_info_dict(name, tags))
            repr(spec.get_output_info_dict(name, tags))
        spec.get_attached_message("image_module_info", hub.ImageModuleInfo, tags)


def use_module(directory: str) -> None:
    """Applies all signatures of all variants in graphs, and runs them."""
    spec = hub.load_module_spec(directory)
    for tags in spec.get_tags():
        with tf.Graph().as_default(), v1.Session() as session:
            module = hub.Module(spec, trainable="train" in tags, tags=tags)
            outputs = [
                module(_tensors(module.get_input_info_dict(name)), signature=name, as_dict=True)
                for name in module.get_signature_names()
            ]
            try:
                session.run([v1.global_variables_initializer(), v1.tables_initializer()])
                session.run(outputs)
            except tf.errors.OpError as error:
                raise RunError(str(error)) from error


def use_load(directory: str) -> None:
    """Loads it as an object, and calls its signatures."""
    module = hub.load(directory)
    infos = hub.load_module_spec(directory)
    for name in module.signatures:
        given = _tensors(infos.get_input_info_dict(name))
        try:
            module.apply(given, signature=name)
        except tf.errors.OpError as error:
            if isinstance(error, hub.HubModuleError):
                raise
            raise RunError(str(error)) from error


def use_convert(directory: str) -> None:
    """Converts it to a SavedModel."""
    target = Path(tempfile.mkdtemp())
    try:
        convert(directory, str(target / "converted"))
    finally:
        shutil.rmtree(target)


USES: Mapping[str, Callable[[str], None]] = {
    "spec": use_spec,
    "module": use_module,
    "load": use_load,
    "convert": use_convert,
}

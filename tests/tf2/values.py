"""Recorded values as tensors, and the reverse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tests.golden import values


def plain(tensor: Any) -> Any:
    """A tensor as recordings have it."""
    if isinstance(tensor, tf.SparseTensor):
        parts = (tensor.indices, tensor.values, tensor.dense_shape)
        return values.from_session(tf.compat.v1.SparseTensorValue(*(p.numpy() for p in parts)))
    if isinstance(tensor, tf.RaggedTensor):
        splits = tuple(split.numpy() for split in tensor.nested_row_splits)
        return values.Ragged(tensor.flat_values.numpy(), splits)
    return values.from_session(tensor.numpy())


def tensors(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Recorded inputs as tensors."""
    return {name: values.to_tensor(tf, value) for name, value in inputs.items()}

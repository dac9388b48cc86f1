"""Golden modules, loaded as objects, give and learn what was recorded in graph mode."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from tests.golden import recordings, values
from tests.golden.definitions import DEFINITIONS, Call

GOLDEN = Path(__file__).parent.parent / "golden"
WRITERS = ("made_by_tf215", "made_by_tf115")
CALLS = [
    pytest.param(writer, name, call, id=f"{writer}-{name}-{recordings.call_name(call)}")
    for writer in WRITERS
    for name, definition in DEFINITIONS.items()
    for call in definition.calls
]
TRAINED = [parameters for parameters in CALLS if parameters.values[2].trained]


def plain(tensor: Any) -> Any:
    """A tensor as recordings have it."""
    if isinstance(tensor, tf.SparseTensor):
        return values.Sparse(*(part.numpy() for part in (tensor.indices, tensor.values)), tensor.dense_shape.numpy())
    if isinstance(tensor, tf.RaggedTensor):
        splits = tuple(split.numpy() for split in tensor.nested_row_splits)
        return values.Ragged(tensor.flat_values.numpy(), splits)
    return np.asarray(tensor.numpy())


def tensors(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Recorded inputs as tensors."""
    return {name: values.to_tensor(tf, value) for name, value in inputs.items()}


def recorded(file: Path) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The inputs, as tensors, and the outputs of a recorded call."""
    inputs, outputs = recordings.load_call(file)
    return tensors(inputs), outputs


@pytest.mark.parametrize("writer, name, call", CALLS)
def test_outputs(writer: str, name: str, call: Call) -> None:
    inputs, expected = recorded(recordings.outputs_file(GOLDEN / writer, name, call))
    module = hub.load(str(GOLDEN / writer / name), tags=call.tags)
    outputs = module.apply(inputs, call.signature)
    found = {key: plain(value) for key, value in outputs.items()}
    assert values.differences(found, expected) == {}


def _mean(output: Any) -> Any:
    parts = output.values if isinstance(output, tf.SparseTensor) else output
    parts = output.flat_values if isinstance(output, tf.RaggedTensor) else parts
    return tf.reduce_mean(tf.cast(parts, tf.float32))

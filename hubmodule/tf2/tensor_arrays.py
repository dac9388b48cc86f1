"""Gradients of TF1's TensorArray ops, as loops of TF1 use them.

TensorFlow's own make objects that, in a program of TF2, are always arrays of TF2; a switch
of the whole process would change that, also for what other threads build meanwhile.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import tensorflow as tf

_raw = tf.raw_ops
_Gradient = list[tf.Tensor | None]


@functools.cache
def registered_gradients() -> dict[str, str]:
    """The names that gradient functions are registered under, by the type of the op."""
    names = {}
    for op_type, gradient in _GRADIENTS.items():
        names[op_type] = f"hubmodule.{op_type}"
        tf.RegisterGradient(names[op_type])(gradient)
    return names


def _gradient_array(handle: tf.Tensor, flow: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The array that collects the gradients of one, and its flow.

    There is one for each `source`, and each graph that gradients are built in has one call
    of tf.gradients.
    """
    array, _ = _raw.TensorArrayGradV3(handle=handle, flow_in=flow, source="gradients")
    with tf.control_dependencies([array]):
        return array, tf.identity(flow)


def _written_array(op: tf.Operation, upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The gradient array of an op that writes, its flow, and the upstream flow."""
    # An array that grows has its size, which its gradient array takes on, after the write.
    with tf.control_dependencies([tf.identity(op.outputs[0])]):
        flow = tf.identity(upstream)
    return *_gradient_array(op.inputs[0], flow), flow


def _of_read(op: tf.Operation, gradient: tf.Tensor) -> _Gradient:
    handle, index, flow = op.inputs
    array, flow = _gradient_array(handle, flow)
    written = _raw.TensorArrayWriteV3(handle=array, index=index, value=gradient, flow_in=flow)
    return [None, None, written]


def _of_write(op: tf.Operation, upstream: tf.Tensor) -> _Gradient:
    array, flow, upstream = _written_array(op, upstream)
    value = _raw.TensorArrayReadV3(
        handle=array, index=op.inputs[1], flow_in=flow, dtype=op.get_attr("T")
    )
    return [None, None, value, upstream]


def _of_gather(op: tf.Operation, gradient: tf.Tensor) -> _Gradient:
    handle, indices, flow = op.inputs
    array, flow = _gradient_array(handle, flow)
    written = _raw.TensorArrayScatterV3(handle=array, indices=indices, value=gradient, flow_in=flow)
    return [None, None, written]


def _of_scatter(op: tf.Operation, upstream: tf.Tensor) -> _Gradient:
    array, flow, upstream = _written_array(op, upstream)
    value = _raw.TensorArrayGatherV3(
        handle=array, indices=op.inputs[1], flow_in=flow, dtype=op.get_attr("T")
    )
    return [None, None, value, upstream]


def _of_concat(op: tf.Operation, gradient: tf.Tensor, _: tf.Tensor) -> _Gradient:
    handle, flow = op.inputs
    array, flow = _gradient_array(handle, flow)
    written = _raw.TensorArraySplitV3(
        handle=array, value=gradient, lengths=op.outputs[1], flow_in=flow
    )
    return [None, written]


def _of_split(op: tf.Operation, upstream: tf.Tensor) -> _Gradient:
    array, flow, upstream = _written_array(op, upstream)
    value, _ = _raw.TensorArrayConcatV3(handle=array, flow_in=flow, dtype=op.get_attr("T"))
    return [None, value, None, upstream]


_GRADIENTS: dict[str, Callable[..., _Gradient]] = {
    "TensorArrayConcatV3": _of_concat,
    "TensorArrayGatherV3": _of_gather,
    "TensorArrayReadV3": _of_read,
    "TensorArrayScatterV3": _of_scatter,
    "TensorArraySplitV3": _of_split,
    "TensorArrayWriteV3": _of_write,
}

"""Gradients of TF1's TensorArray ops, which TF1 loops use.

TensorFlow's own gradient functions make tf.TensorArray objects, which use the ops of TF2 in a TF2
program. A switch changes this, but for all threads of the process.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import tensorflow as tf

_raw = tf.raw_ops
_Gradient = list[tf.Tensor | None]


@functools.cache
def register_gradients() -> dict[str, str]:
    """Registers the gradient functions, once.

    Returns:
        The name that each is registered under, by the type of the op that it differentiates.
    """
    names = {}
    for op_type, gradient in _GRADIENTS.items():
        names[op_type] = f"hubmodule.{op_type}"
        tf.RegisterGradient(names[op_type])(gradient)
    return names


def _add_gradient_array(handle: tf.Tensor, flow: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Adds the array of the gradients by the elements of an array.

    TensorFlow makes one for each value of `source`. One is enough here, because tf.gradients is
    called once in each graph.

    Args:
        handle: The handle of the array.
        flow: The flow of the array, a scalar that orders its ops.

    Returns:
        The handle and the flow of the array of gradients.
    """
    array, _ = _raw.TensorArrayGradV3(handle=handle, flow_in=flow, source="gradients")
    with tf.control_dependencies([array]):
        return array, tf.identity(flow)


def _add_array_after_write(
    op: tf.Operation, upstream: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Adds the array of gradients for an op that writes.

    Args:
        op: The op that writes into an array.
        upstream: The gradient by the flow that the op returns.

    Returns:
        The handle and the flow of the array of gradients, and the upstream flow.
    """
    # The array of gradients takes the size of the array, which has grown only after the write.
    with tf.control_dependencies([tf.identity(op.outputs[0])]):
        flow = tf.identity(upstream)
    return *_add_gradient_array(op.inputs[0], flow), flow


def _differentiate_read(op: tf.Operation, gradient: tf.Tensor) -> _Gradient:
    handle, index, flow = op.inputs
    array, flow = _add_gradient_array(handle, flow)
    written = _raw.TensorArrayWriteV3(handle=array, index=index, value=gradient, flow_in=flow)
    return [None, None, written]


def _differentiate_write(op: tf.Operation, upstream: tf.Tensor) -> _Gradient:
    array, flow, upstream = _add_array_after_write(op, upstream)
    value = _raw.TensorArrayReadV3(
        handle=array, index=op.inputs[1], flow_in=flow, dtype=op.get_attr("T")
    )
    return [None, None, value, upstream]


def _differentiate_gather(op: tf.Operation, gradient: tf.Tensor) -> _Gradient:
    handle, indices, flow = op.inputs
    array, flow = _add_gradient_array(handle, flow)
    written = _raw.TensorArrayScatterV3(handle=array, indices=indices, value=gradient, flow_in=flow)
    return [None, None, written]


def _differentiate_scatter(op: tf.Operation, upstream: tf.Tensor) -> _Gradient:
    array, flow, upstream = _add_array_after_write(op, upstream)
    value = _raw.TensorArrayGatherV3(
        handle=array, indices=op.inputs[1], flow_in=flow, dtype=op.get_attr("T")
    )
    return [None, None, value, upstream]


def _differentiate_concat(op: tf.Operation, gradient: tf.Tensor, _: tf.Tensor) -> _Gradient:
    handle, flow = op.inputs
    array, flow = _add_gradient_array(handle, flow)
    written = _raw.TensorArraySplitV3(
        handle=array, value=gradient, lengths=op.outputs[1], flow_in=flow
    )
    return [None, written]


def _differentiate_split(op: tf.Operation, upstream: tf.Tensor) -> _Gradient:
    array, flow, upstream = _add_array_after_write(op, upstream)
    value, _ = _raw.TensorArrayConcatV3(handle=array, flow_in=flow, dtype=op.get_attr("T"))
    return [None, value, None, upstream]


_GRADIENTS: dict[str, Callable[..., _Gradient]] = {
    "TensorArrayConcatV3": _differentiate_concat,
    "TensorArrayGatherV3": _differentiate_gather,
    "TensorArrayReadV3": _differentiate_read,
    "TensorArrayScatterV3": _differentiate_scatter,
    "TensorArraySplitV3": _differentiate_split,
    "TensorArrayWriteV3": _differentiate_write,
}

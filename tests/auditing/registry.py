"""The registry of ops of the TensorFlow that runs the tests."""

from __future__ import annotations

import functools

from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session


@functools.cache
def registered_ops() -> dict[str, op_def_pb2.OpDef]:
    """All registered ops by name, those that other packages have registered included."""
    content = pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList())
    return {op.name: op for op in op_def_pb2.OpList.FromString(content).op}

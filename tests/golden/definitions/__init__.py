"""The modules that the golden tests and the interop check write and read.

Each is defined once, for whichever library (`hub`: hubmodule or tensorflow_hub) and
TensorFlow (`tf`: the names of tf.compat.v1) a program hands in. Python 3.7 with
TensorFlow 1.15 is the oldest that runs these files, so they use no newer syntax.
"""

from __future__ import annotations

from tests.golden.definitions import flow, lookups, state, tensors
from tests.golden.definitions.registry import DEFINITIONS, Call, Definition, control_flow

__all__ = [
    "DEFINITIONS",
    "Call",
    "Definition",
    "control_flow",
    "flow",
    "lookups",
    "state",
    "tensors",
]

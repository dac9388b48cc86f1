"""hub.KerasLayer: the layer of the Keras that the program uses.

The rule: Keras 2 (tf_keras, or the Keras within TensorFlow 2.15) if that is what
`tf.keras` is; Keras 3 otherwise. A program that imported tf_keras and not keras gets
that of tf_keras. The name is looked up at its first use, and only one is imported.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    KerasLayer: Any


def uses_keras_2() -> bool:
    """Whether the program's layers are those of Keras 2."""
    if tuple(int(part) for part in tf.__version__.split(".")[:2]) < (2, 16):
        return "keras" not in sys.modules or sys.modules["keras"].__version__.startswith("2.")
    if os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true"):
        return True
    return "tf_keras" in sys.modules and "keras" not in sys.modules


def __getattr__(name: str) -> Any:
    if name != "KerasLayer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if uses_keras_2():
        from hubmodule.tf2.keras2_layer import KerasLayer
    else:
        from hubmodule.tf2.keras3_layer import KerasLayer
    return KerasLayer

"""hub.KerasLayer: the layer of the Keras that the program uses.

It is the layer of Keras 2 if `tf.keras` is Keras 2, or if the program imported tf_keras before it
first used the name; otherwise that of Keras 3. Whether Keras 3 is imported does not matter,
because TensorFlow itself imports it. A program that uses both imports the layer from keras2_layer
or keras3_layer.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from hubmodule import _tf

if TYPE_CHECKING:
    KerasLayer: Any


def uses_keras_2() -> bool:
    """Whether the program uses Keras 2."""
    if _tf.HAS_KERAS_2:
        return "keras" not in sys.modules or sys.modules["keras"].__version__.startswith("2.")
    legacy = os.environ.get("TF_USE_LEGACY_KERAS", "").lower()
    return legacy in ("1", "true") or (not legacy and sys.modules.get("tf_keras") is not None)


def __getattr__(name: str) -> Any:
    if name != "KerasLayer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if uses_keras_2():
        from hubmodule.keras.keras2_layer import KerasLayer
    else:
        from hubmodule.keras.keras3_layer import KerasLayer
    return KerasLayer

"""Mends the batch normalisation of `tensorflow.python.layers`, which tf_slim uses.

TensorFlow 2.15 to 2.21 imports it from `tf_keras.legacy_tf_layers.normalization`, a module that no
Keras 2 has: in tf-keras it is `tf_keras.src.legacy_tf_layers.normalization`, and TensorFlow 2.15
has it in the package keras.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from hubmodule.estimator import keras2

_NAME = "tf_keras.legacy_tf_layers.normalization"


def mend_batch_normalization() -> None:
    """Makes the module importable under the name that TensorFlow uses; imports no Keras."""
    sys.modules.setdefault(_NAME, _Normalization(_NAME))


class _Normalization(ModuleType):
    """The module of Keras 2, which is imported when a name in it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        package = "tf_keras" if keras2.needs_tf_keras() else "keras"
        module = importlib.import_module(f"{package}.src.legacy_tf_layers.normalization")
        return getattr(module, name)

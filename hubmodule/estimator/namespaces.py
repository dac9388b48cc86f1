"""TensorFlow's public namespaces, of which a process has several copies.

Since TensorFlow 2.16, `import tensorflow.compat.v1` makes another module than the one
that `tensorflow.compat.v1` was before, and puts it in its place.
"""

from __future__ import annotations

import importlib
import re
import sys
from types import ModuleType

_PUBLIC = re.compile(r"tensorflow(\.(_api|compat)(\..+)?)?")
_NAMESPACE = re.compile(r"tensorflow((\._api\.v2)?(\.compat\.v[12])+)?")


def loaded_namespaces() -> list[ModuleType]:
    """Every copy of `tf`, `tf.compat.v1` and `tf.compat.v2` that is imported."""
    return [module for name, module in list(sys.modules.items()) if _NAMESPACE.fullmatch(name)]


def public_modules() -> list[ModuleType]:
    """Every imported module of TensorFlow's public API, such as `tf.nn`."""
    return [module for name, module in list(sys.modules.items()) if _PUBLIC.fullmatch(name)]


def set_everywhere(name: str, v1: ModuleType, v2: ModuleType) -> None:
    """Sets an attribute of all namespaces, also of those that a later import would make."""
    for compat in ("tensorflow.compat.v1", "tensorflow.compat.v2"):
        importlib.import_module(compat)
    for namespace in loaded_namespaces():
        setattr(namespace, name, v1 if namespace.__name__.endswith(".v1") else v2)

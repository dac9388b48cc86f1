"""Finds and changes TensorFlow's public namespaces; a process may have several copies of them.

Since TensorFlow 2.16, `import tensorflow.compat.v1` creates a second module, which replaces
the module that `tf.compat.v1` was before.
"""

from __future__ import annotations

import importlib
import re
import sys
from types import ModuleType

_PUBLIC = re.compile(r"tensorflow(\.(_api|compat)(\..+)?)?")
_NAMESPACE = re.compile(r"tensorflow((\._api\.v2)?(\.compat\.v[12])+)?")


def find_namespaces() -> list[ModuleType]:
    """Returns every imported copy of `tf`, `tf.compat.v1` and `tf.compat.v2`."""
    return [module for name, module in list(sys.modules.items()) if _NAMESPACE.fullmatch(name)]


def find_public_modules() -> list[ModuleType]:
    """Returns every imported module of TensorFlow's public API, such as `tf.nn`."""
    return [module for name, module in list(sys.modules.items()) if _PUBLIC.fullmatch(name)]


def set_everywhere(name: str, v1: ModuleType, v2: ModuleType) -> None:
    """Sets an attribute of all namespaces, including those that a later import would create.

    Args:
        name: Name of the attribute.
        v1: Value in each copy of tf.compat.v1.
        v2: Value in `tf` and each copy of tf.compat.v2.
    """
    for compat in ("tensorflow.compat.v1", "tensorflow.compat.v2"):
        importlib.import_module(compat)
    for namespace in find_namespaces():
        setattr(namespace, name, v1 if namespace.__name__.endswith(".v1") else v2)

"""Names of TensorFlow's implementation that programs of TensorFlow 1 import.

`tensorflow.python` was never public, but well-known programs used it. Names that still exist under
`tf.compat.v1` are given back to the modules that had them in TensorFlow 1.15.
"""

from __future__ import annotations

import importlib
from typing import Any

# Module of TensorFlow 1.15 -> name that it does not have now -> the same object in tf.compat.v1.
MOVED = {
    "tensorflow.python.framework.graph_util": {
        "convert_variables_to_constants": "graph_util.convert_variables_to_constants",
    },
    "tensorflow.python.framework.graph_util_impl": {
        "convert_variables_to_constants": "graph_util.convert_variables_to_constants",
    },
    "tensorflow.python.framework.ops": {"Tensor": "Tensor"},
    "tensorflow.python.ops.array_ops": {"stack": "stack", "unstack": "unstack"},
    "tensorflow.python.ops.control_flow_ops": {
        "Assert": "Assert",
        "case": "case",
        "cond": "cond",
        "while_loop": "while_loop",
    },
    "tensorflow.python.ops.random_ops": {"random_crop": "random_crop"},
    "tensorflow.python.ops.variables": {
        "VariableV1": "Variable",
        "is_variable_initialized": "is_variable_initialized",
    },
    "tensorflow.python.pywrap_tensorflow": {"NewCheckpointReader": "train.NewCheckpointReader"},
}


def restore_moved_names(v1: Any) -> None:
    """Gives the names back to their modules, where they are missing.

    The modules change for installed packages as well, which do not notice additional names.

    Args:
        v1: The module tensorflow.compat.v1.
    """
    for module_name, names in MOVED.items():
        module = importlib.import_module(module_name)
        for name, path in names.items():
            if not hasattr(module, name):
                setattr(module, name, _get_object(v1, path))


def is_moved(name: str) -> bool:
    """Whether a full name is one that `restore_moved_names` gives back."""
    module, _, attribute = name.rpartition(".")
    return attribute in MOVED.get(module, ())


def _get_object(module: Any, path: str) -> Any:
    for name in path.split("."):
        module = getattr(module, name)
    return module

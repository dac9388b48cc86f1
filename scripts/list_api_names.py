"""Prints the public names of a TensorFlow, of which hubmodule/legacy/api_names.py is made.

    python -m scripts.list_api_names PYTHON [v1]

PYTHON is an interpreter that has the TensorFlow: 1.15.5 for `tf`, 2.21.0 for `tf` and for
`tf.compat.v1`, which `v1` selects.
"""

from __future__ import annotations

import os
import subprocess
import sys

# Runs on Python 3.6 too, which TensorFlow 1.15 needs.
_PROGRAM = """
import sys
import types
import tensorflow as tf

# Modules of the implementation, and namespaces that have every name a second time.
NOT_LISTED = ("compat", "contrib", "core", "compiler", "examples", "include", "python", "tools")

def list_names(module, prefix="", parents=()):
    names = set()
    for name in dir(module):
        if name.startswith("_") or name in NOT_LISTED:
            continue
        try:
            value = getattr(module, name)
        except (AttributeError, ImportError):
            continue
        if not isinstance(value, types.ModuleType):
            names.add(prefix + name)
        elif "api" in value.__name__ and value not in parents:
            names.add(prefix + name + ".")
            names |= list_names(value, prefix + name + ".", parents + (value,))
    return names

print("\\n".join(sorted(list_names(tf.compat.v1 if sys.argv[1:] == ["v1"] else tf))))
"""


def main() -> int:
    """Runs the program above; returns its exit status."""
    python, *arguments = sys.argv[1:]
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run([python, "-c", _PROGRAM, *arguments], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())

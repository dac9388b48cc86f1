"""Prints a library and the TensorFlow that it runs on.

python -m benchmarks.versions LIBRARY
"""

from __future__ import annotations

import importlib
import platform
import sys

import tensorflow as tf

if __name__ == "__main__":
    library = importlib.import_module(sys.argv[1])
    print(
        f"{sys.argv[1]} {library.__version__} on TensorFlow {tf.__version__}, "
        f"Python {platform.python_version()}"
    )

"""The magics of IPython and Jupyter, after `%load_ext hubmodule`."""

from __future__ import annotations

import os
from typing import Any

from hubmodule.run import Preparation, prepare


def register_magics(ipython: Any) -> None:
    """Registers `%tf1`.

    Args:
        ipython: The running `InteractiveShell`.
    """
    ipython.register_magic_function(enable_tensorflow_1, "line", "tf1")


def enable_tensorflow_1(line: str) -> None:
    """Lets `import tensorflow` in this notebook import the API of TensorFlow 1.

    Run it before the first import of TensorFlow. It holds for the cells, and for the Python files
    in the current directory and below it; `%tf1 NAME …` adds installed packages.

    Args:
        line: Names of packages, separated by blanks.
    """
    packages = ("__main__", *line.split())
    prepare(Preparation(use_tensorflow_1=True, packages=packages, directories=(os.getcwd(),)))

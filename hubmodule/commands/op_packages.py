"""--import: imports packages that register ops, before a command loads a module."""

from __future__ import annotations

import argparse
from collections.abc import Iterable


def add_import_argument(parser: argparse.ArgumentParser) -> None:
    """Declares --import, whose values import_packages() takes."""
    parser.add_argument(
        "--import",
        action="append",
        default=[],
        dest="packages",
        metavar="PACKAGE",
        help="import a package that registers ops of the module, such as tensorflow_text; may be "
        "repeated",
    )


def import_packages(packages: Iterable[str]) -> None:
    """Imports packages by their names.

    Raises:
        ModuleDefinitionError: if one of them cannot be imported.
    """
    import importlib

    import tensorflow as tf

    from hubmodule.errors import ModuleDefinitionError

    for package in packages:
        try:
            importlib.import_module(package)
        # Python raises TypeError for "./x" and ValueError for ""; libraries of ops an OpError.
        except (ImportError, TypeError, ValueError, tf.errors.OpError) as error:
            raise ModuleDefinitionError(
                f"--import {package} failed: {error}. Install the release of {package} that is "
                f"for TensorFlow {tf.__version__}."
            ) from error

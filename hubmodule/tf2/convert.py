"""Converts a module to a TF2 SavedModel, which loads anywhere without this package."""

from __future__ import annotations

import tensorflow as tf

from hubmodule import files
from hubmodule.errors import ModuleDefinitionError
from hubmodule.format import saved_model
from hubmodule.tf2.load import load
from hubmodule.tf2.trainable import ReusableModule

KINDS = ("reusable", "serving")


def convert(handle: str, path: str, to: str = "reusable", overwrite: bool = False) -> None:
    """Writes a TF1 Hub module as a TF2 SavedModel.

    Args:
        handle: of the module.
        path: of the directory to make. It appears when it is complete.
        to: "reusable" keeps what hub.load() gives: calls with `training`, trainable
            variables, regularisation losses and all signatures. "serving" keeps the
            signatures only, the default one under "serving_default" too, as TensorFlow
            Serving loads them: tagged "serve", with initialised tables.
        overwrite: whether a SavedModel that is at `path` is replaced.

    Raises:
        ExportExistsError: if something is at `path` that may not be replaced.
        ModuleDefinitionError: if the handle is no TF1 Hub module, or `to` is unknown.
        as hub.load().
    """
    if to not in KINDS:
        raise ModuleDefinitionError(f"Cannot convert to {to!r}; choose one of {list(KINDS)}.")
    # What cannot be written is told before the work is done.
    with files.new_directory(path, saved_model.BINARY, overwrite) as directory:
        module = load(handle)
        if not isinstance(module, ReusableModule):
            raise ModuleDefinitionError(f"{handle} is a plain SavedModel already; use it as it is.")
        saved = module if to == "reusable" else module.for_serving()
        tf.saved_model.save(saved, directory, module.signatures_to_save())

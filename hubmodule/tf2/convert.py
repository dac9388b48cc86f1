"""Converts a module to a TF2 SavedModel, which loads anywhere without this package."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from hubmodule import _tf, files
from hubmodule.errors import ModuleDefinitionError
from hubmodule.format import saved_model
from hubmodule.tf2.load import load
from hubmodule.tf2.reusable_module import ReusableModule
from hubmodule.tf2.signatures import SavedInput
from hubmodule.urls import redact

KINDS = ("reusable", "serving")


def convert(
    handle: str, path: str, to: str = "reusable", overwrite: bool = False
) -> dict[str, dict[str, str]]:
    """Writes a TF1 Hub module as a TF2 SavedModel.

    In TensorFlow Serving and saved_model_cli the inputs have the names that the author chose. In
    Python, names that cannot be arguments are changed.

    Args:
        handle: The handle of the module.
        path: The path of the directory to write. It appears when it is complete.
        to: "reusable" keeps all that hub.load() returns: calls with `training`, trainable
            variables, regularisation losses and all signatures. "serving" keeps only the
            signatures, for TensorFlow Serving; the tables are initialised when it is loaded. In
            both, the tag is "serve", and the default signature is also "serving_default".
        overwrite: Whether to replace a SavedModel that is already at `path`.

    Returns:
        For each signature with inputs whose names were changed, a dict from the names of these
        inputs to their Python arguments.

    Raises:
        ExportExistsError: If there is something at `path` that may not be replaced.
        HandleNotFoundError: If nothing exists at the handle; further exceptions are those of
            hub.load().
        ModuleDefinitionError: If the handle is that of a plain SavedModel, or `to` is unknown.
    """
    if to not in KINDS:
        raise ModuleDefinitionError(f"Cannot convert to {to!r}; choose one of {list(KINDS)}.")
    # Opened first, so that a path that cannot be written is an error before the work is done.
    with files.make_directory(
        path, saved_model.BINARY, overwrite, saved_model.ENTRIES
    ) as directory:
        module = load(handle)
        if not isinstance(module, ReusableModule):
            raise ModuleDefinitionError(
                f"{redact(os.fspath(handle))} is a plain SavedModel already; use it as it is."
            )
        to_save = module if to == "reusable" else module.state
        tf.saved_model.save(to_save, directory, module.trace_signatures())
        inputs = module.list_saved_inputs()
        _restore_names(directory, inputs)
    return _find_changed_names(inputs)


def _restore_names(directory: str, inputs: Mapping[str, Sequence[SavedInput]]) -> None:
    """Gives the inputs in a SavedModel the author's names, where TensorFlow changed them.

    Args:
        directory: The path of the SavedModel's directory.
        inputs: The inputs by the name of their signature.
    """
    if all(each.key == each.name for of_signature in inputs.values() for each in of_signature):
        return
    path = posixpath.join(directory, saved_model.BINARY)
    proto = saved_model_pb2.SavedModel.FromString(files.read_bytes(path))
    for signature, of_signature in inputs.items():
        infos = proto.meta_graphs[0].signature_def[signature].inputs
        # All are removed first, because an input may have the name that another had.
        renamed = {each.name: infos.pop(each.key) for each in of_signature}
        for name, info in renamed.items():
            infos[name].CopyFrom(info)
    files.write_bytes(path, proto.SerializeToString(deterministic=True))
    _tf.write_fingerprint(directory)


def _find_changed_names(inputs: Mapping[str, Sequence[SavedInput]]) -> dict[str, dict[str, str]]:
    """Finds the inputs of each signature whose Python arguments have other names."""
    changed = {
        signature: {each.name: each.argument for each in of_signature if each.name != each.argument}
        for signature, of_signature in inputs.items()
    }
    return {signature: names for signature, names in changed.items() if names}

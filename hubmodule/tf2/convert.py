"""Converts a module to a TF2 SavedModel, which loads anywhere without this package."""

from __future__ import annotations

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

KINDS = ("reusable", "serving")


def convert(
    handle: str, path: str, to: str = "reusable", overwrite: bool = False
) -> dict[str, dict[str, str]]:
    """Writes a TF1 Hub module as a TF2 SavedModel.

    The inputs of its signatures keep their names where TensorFlow Serving and
    saved_model_cli read them. In Python, where an argument has to be an identifier, other
    names are changed.

    Args:
        handle: of the module.
        path: of the directory to make. It appears when it is complete.
        to: "reusable" keeps what hub.load() gives: calls with `training`, trainable
            variables, regularisation losses and all signatures. "serving" keeps the
            signatures only, the default one under "serving_default" too, as TensorFlow
            Serving loads them: tagged "serve", with initialised tables.
        overwrite: whether a SavedModel that is at `path` is replaced.

    Returns:
        For each signature with such inputs the Python argument by the name of the input.

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
        saved = module if to == "reusable" else module.state
        tf.saved_model.save(saved, directory, module.trace_signatures())
        inputs = module.list_saved_inputs()
        _restore_names(directory, inputs)
    changed = {
        signature: {each.name: each.argument for each in each_input if each.name != each.argument}
        for signature, each_input in inputs.items()
    }
    return {signature: names for signature, names in changed.items() if names}


def _restore_names(directory: str, inputs: Mapping[str, Sequence[SavedInput]]) -> None:
    """Gives the inputs in a SavedModel the names that tf.saved_model.save cannot write."""
    changed = [
        (signature, each)
        for signature in inputs
        for each in inputs[signature]
        if each.key != each.name
    ]
    if not changed:
        return
    path = posixpath.join(directory, saved_model.BINARY)
    proto = saved_model_pb2.SavedModel.FromString(files.read_bytes(path))
    definitions = proto.meta_graphs[0].signature_def
    found = [(signature, i, definitions[signature].inputs.pop(i.key)) for signature, i in changed]
    for signature, each, info in found:
        definitions[signature].inputs[each.name].CopyFrom(info)
    files.write_bytes(path, proto.SerializeToString(deterministic=True))
    _tf.write_fingerprint(directory)

"""tfhub_module.pb: the file that tells a TF1 Hub module from a plain SavedModel."""

from __future__ import annotations

import posixpath

import tensorflow as tf
from google.protobuf.message import DecodeError

from hubmodule import files, module_def_pb2
from hubmodule._version import __version__
from hubmodule.errors import HandleNotFoundError, ModuleFormatError, NotAModuleError

FILE_NAME = "tfhub_module.pb"

_SUPPORTED_FEATURES = frozenset()  # type: frozenset[str]


def is_module(directory: str) -> bool:
    """Whether a directory has the file that makes it a TF1 Hub module."""
    return tf.io.gfile.exists(posixpath.join(directory, FILE_NAME))


def check(directory: str) -> None:
    """Checks that a directory is a module that this package can read.

    Raises:
        HandleNotFoundError: If the directory does not exist.
        NotAModuleError: If it has no tfhub_module.pb; the message says what the directory is
            instead.
        ModuleFormatError: If the file cannot be read, or requires a format or a feature that
            this version does not know.
    """
    if not tf.io.gfile.exists(directory):
        raise HandleNotFoundError(f"{directory} does not exist.")
    if not is_module(directory):
        raise NotAModuleError(
            f"{directory} is not a TF1 Hub module: {_describe_directory(directory)}"
        )
    module_def = _read(posixpath.join(directory, FILE_NAME))
    if module_def.format != module_def_pb2.ModuleDef.FORMAT_V3:
        raise ModuleFormatError(
            f"Module at {directory} has format {module_def.format}; hubmodule {__version__} reads "
            f"format {module_def_pb2.ModuleDef.FORMAT_V3}. Upgrade hubmodule, or export it again."
        )
    unknown = sorted(set(module_def.required_features) - _SUPPORTED_FEATURES)
    if unknown:
        raise ModuleFormatError(
            f"Module at {directory} needs features {unknown}, which hubmodule {__version__} "
            "cannot read; upgrade hubmodule."
        )


def write(directory: str) -> None:
    """Marks a directory as a TF1 Hub module."""
    module_def = module_def_pb2.ModuleDef(format=module_def_pb2.ModuleDef.FORMAT_V3)
    files.write_bytes(posixpath.join(directory, FILE_NAME), module_def.SerializeToString())


def _read(path: str) -> module_def_pb2.ModuleDef:
    try:
        return module_def_pb2.ModuleDef.FromString(files.read_bytes(path))
    except DecodeError as error:
        raise ModuleFormatError(f"{path} is damaged: {error}. Fetch the module again.") from error


def _describe_directory(directory: str) -> str:
    """Says why a path is not a module, what it is instead, and which call reads it."""
    if not tf.io.gfile.isdir(directory):
        return "It is a file. A module is a directory: pass the one that the file is in."
    names = {name.rstrip("/") for name in tf.io.gfile.listdir(directory)}
    missing = f"{FILE_NAME} is missing. "
    if names & {"saved_model.pb", "saved_model.pbtxt"}:
        return missing + (
            "It is a plain SavedModel: use hub.load() in TF2, or "
            "hub.create_module_spec_from_saved_model() if it was made by TF1."
        )
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return missing + (
            "It holds a checkpoint: restore it with tf.compat.v1.train.Saver, or publish it with "
            "ModuleSpec.export(path, checkpoint_path=...)."
        )
    inner = sorted(name for name in names if is_module(posixpath.join(directory, name)))
    if inner:
        return missing + f"A module lies deeper, in {inner[0]}: use that path."
    if not names:
        return missing + "The directory is empty."
    return missing + f"There is {', '.join(sorted(names)[:8])}: check the path."

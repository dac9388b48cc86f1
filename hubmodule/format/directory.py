"""What lies at a path: a module, a plain SavedModel, or something that another call loads."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

import tensorflow as tf

from hubmodule.errors import HandleNotFoundError, NotAModuleError
from hubmodule.format import module_def, saved_model

_CHECKPOINT = (
    "a checkpoint, which has values but no graph: build the model in code and restore it with "
    "tf.train.Checkpoint or tf.compat.v1.train.Saver, or publish it with "
    "ModuleSpec.export(path, checkpoint_path=...)."
)
_KERAS_ENDINGS = (".keras", ".h5", ".hdf5")
_MOST_NAMES = 8


@dataclass(frozen=True)
class Directory:
    """The directory of a module or of a plain SavedModel.

    Attributes:
        path: The path of the directory.
        is_module: Whether it is a module in the TF1 Hub format; else a plain SavedModel.
    """

    path: str
    is_module: bool


def inspect_directory(path: str) -> Directory:
    """Returns whether a directory is a module or a plain SavedModel.

    Args:
        path: The path of the directory.

    Raises:
        HandleNotFoundError: If nothing exists at the path.
        ModuleFormatError: If it is a module of a format that this version cannot read.
        NotAModuleError: If it is neither; the message says what it is.
    """
    if module_def.is_module(path):
        module_def.check(path)
        return Directory(path, is_module=True)
    if saved_model.is_saved_model(path):
        return Directory(path, is_module=False)
    if not tf.io.gfile.exists(path):
        raise HandleNotFoundError(f"{path} does not exist.")
    if not tf.io.gfile.isdir(path):
        raise NotAModuleError(f"{path} is not a module: it is {_describe_file(path)}")
    raise NotAModuleError(
        f"{path} is not a module: it contains neither {saved_model.BINARY} nor "
        f"{saved_model.TEXT}. {_describe_contents(path)}"
    )


def check_not_checkpoint(path: str) -> None:
    """Checks that a path at which nothing exists is not the prefix of a checkpoint's files.

    Raises:
        NotAModuleError: If it is; the message says how to load a checkpoint.
    """
    if tf.io.gfile.exists(f"{path}.index"):
        raise NotAModuleError(f"{path} is the prefix of {_CHECKPOINT}")


def _describe_file(path: str) -> str:
    """Describes what a file is, and which function loads it."""
    if path.endswith(_KERAS_ENDINGS):
        return "a Keras file. Use keras.models.load_model()."
    if path.endswith(".index") or ".data-" in posixpath.basename(path):
        return f"part of {_CHECKPOINT}"
    return "a file. Pass the directory that the file is in."


def _describe_contents(path: str) -> str:
    """Describes what a directory contains, and which function loads it."""
    names = sorted(name.rstrip("/") for name in tf.io.gfile.listdir(path))
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return f"It holds {_CHECKPOINT}"
    if {"config.json", "model.weights.h5"} & set(names):
        return "It holds an unpacked Keras file. Use keras.models.load_model()."
    keras_files = [name for name in names if name.endswith(_KERAS_ENDINGS)]
    if keras_files:
        return f"It holds the Keras file {keras_files[0]}. Use keras.models.load_model() on that."
    inner = [name for name in names if _is_loadable(posixpath.join(path, name))]
    if inner:
        return f"A module lies deeper, in {inner[0]}: use that path."
    if not names:
        return "The directory is empty."
    return f"There is {', '.join(names[:_MOST_NAMES])}. Check the path, or fetch it again."


def _is_loadable(path: str) -> bool:
    return module_def.is_module(path) or saved_model.is_saved_model(path)

"""hub.load: a module or a SavedModel as an object."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from hubmodule.auditing.policy import check_policy
from hubmodule.errors import HandleNotFoundError, NotAModuleError
from hubmodule.format import checkpoint, module_def, saved_model
from hubmodule.resolver import resolvers
from hubmodule.tf2.state import State
from hubmodule.tf2.trainable import ReusableModule
from hubmodule.tf2.variants import Variants


@tf.autograph.experimental.do_not_convert
def load(
    handle: str | os.PathLike[str],
    tags: Iterable[str] | None = None,
    options: tf.saved_model.LoadOptions | None = None,
) -> Any:
    """Loads a module or a SavedModel.

    In a function under construction, variables and tables are made outside of it, once;
    in a tf.Graph, they are in the collections that its initialisers come from. Under the
    scope of a distribution strategy, its variables are made.

    Args:
        handle: says where it is, for example the path of its directory.
        tags: of the graph variant; None is the empty set for the TF1 Hub format, and for
            a plain SavedModel what tf.saved_model.load takes.
        options: `experimental_io_device` is where files are read.

    Returns:
        For the TF1 Hub format a ReusableModule, else what tf.saved_model.load returns.

    Raises:
        CheckpointError: if the module's checkpoint lacks a variable, or is damaged.
        HandleNotFoundError: if nothing is there.
        InvalidHandleError: if `handle` is neither a string nor a path.
        ModuleFormatError: if the module is damaged, or of an unknown format.
        ModuleRefusedError: if HUBMODULE_AUDIT is "refuse", and the audit has findings.
        NoSuchVariantError: if no graph variant has these tags.
        NotAModuleError: if there is something else; says what.
        UnregisteredOpsError: if no signature can be applied.
    """
    path = _resolved(handle)
    if module_def.is_module(path):
        return _load_module(path, os.fspath(handle), tags, options)
    if not saved_model.is_saved_model(path):
        what = _about_directory(path) if tf.io.gfile.isdir(path) else _about_file(path)
        raise NotAModuleError(
            f"{path} contains neither {saved_model.BINARY} nor {saved_model.TEXT}: {what}"
        )
    check_policy(path)
    wanted = None if tags is None else [tags] if isinstance(tags, str) else list(tags)
    return tf.saved_model.load(path, tags=wanted, options=options)


def _resolved(handle: str | os.PathLike[str]) -> str:
    try:
        return resolvers.resolve(handle)
    except HandleNotFoundError as error:
        prefix = os.fspath(handle)
        if tf.io.gfile.exists(f"{prefix}.index"):
            raise NotAModuleError(f"{prefix} is the prefix of {_CHECKPOINT}") from error
        raise


def _load_module(
    path: str,
    origin: str,
    tags: Iterable[str] | None,
    options: tf.saved_model.LoadOptions | None,
) -> ReusableModule:
    module_def.check(path)
    check_policy(path)
    variants = Variants(saved_model.read(path), path)
    wanted = variants.chosen(tags)
    prefix = saved_model.checkpoint_prefix(path)
    contents = checkpoint.Contents(prefix, {}, {})
    if tf.io.gfile.exists(prefix + ".index"):
        contents = checkpoint.contents(prefix)
    device = options.experimental_io_device if options else None
    return ReusableModule(variants, State(contents, device), wanted, origin)


_CHECKPOINT = (
    "a checkpoint, which has values but no graph: build the model in code, and restore it with "
    "tf.train.Checkpoint or tf.compat.v1.train.Saver."
)
_KERAS_ENDINGS = (".keras", ".h5", ".hdf5")


def _about_file(path: str) -> str:
    """Says what a file is, and which call fits."""
    if path.endswith(_KERAS_ENDINGS):
        return "it is a Keras file. Use keras.models.load_model()."
    if path.endswith(".index") or ".data-" in posixpath.basename(path):
        return f"it is part of {_CHECKPOINT}"
    return "it is a file. Pass the directory of a SavedModel."


def _about_directory(path: str) -> str:
    """Says what a directory is, and which call fits."""
    names = sorted(name.rstrip("/") for name in tf.io.gfile.listdir(path))
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return f"it holds {_CHECKPOINT}"
    if {"config.json", "model.weights.h5"} & set(names):
        return "it holds an unpacked Keras file. Use keras.models.load_model()."
    keras_files = [name for name in names if name.endswith(_KERAS_ENDINGS)]
    if keras_files:
        return f"it holds the Keras file {keras_files[0]}. Use keras.models.load_model() on that."
    inner = [name for name in names if saved_model.is_saved_model(posixpath.join(path, name))]
    if inner:
        return f"a SavedModel lies deeper, in {inner[0]}. Use that path."
    if not names:
        return "the directory is empty."
    return f"there is {', '.join(names[:8])}. Check the path, or fetch it again."

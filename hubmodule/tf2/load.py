"""hub.load: a module or a SavedModel as an object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from hubmodule.errors import HandleNotFoundError, ModuleDefinitionError, NotAModuleError
from hubmodule.format import checkpoint, module_def, saved_model
from hubmodule.resolver import resolvers
from hubmodule.tf2.state import State
from hubmodule.tf2.trainable import ReusableModule
from hubmodule.tf2.variants import Variants


def load(
    handle: str,
    tags: Iterable[str] | None = None,
    options: tf.saved_model.LoadOptions | None = None,
) -> Any:
    """Loads a module or a SavedModel.

    Args:
        handle: says where it is, for example the path of its directory.
        tags: of the graph variant; None is the empty set for the TF1 Hub format, and for
            a plain SavedModel what tf.saved_model.load takes.
        options: `experimental_io_device` is where files are read.

    Returns:
        For the TF1 Hub format a ReusableModule, else what tf.saved_model.load returns.

    Raises:
        CheckpointError: if the module's checkpoint lacks a variable.
        HandleNotFoundError: if nothing is there.
        ModuleDefinitionError: if `handle` is not a string.
        ModuleFormatError: if the module is damaged, or of an unknown format.
        NoSuchVariantError: if no graph variant has these tags.
        NotAModuleError: if there is something else; says what.
        UnregisteredOpsError: if no signature can be applied.
    """
    if not isinstance(handle, str):
        raise ModuleDefinitionError(
            f"Expected a string, got {handle!r}. hub.load() takes a handle, such as a path."
        )
    path = resolvers.resolve(handle)
    if module_def.is_module(path):
        return _load_module(path, tags, options)
    if not saved_model.is_saved_model(path):
        raise NotAModuleError(_what_it_is(path))
    wanted = None if tags is None else [tags] if isinstance(tags, str) else list(tags)
    return tf.saved_model.load(path, tags=wanted, options=options)


def _load_module(
    path: str, tags: Iterable[str] | None, options: tf.saved_model.LoadOptions | None
) -> ReusableModule:
    module_def.check(path)
    variants = Variants(saved_model.read(path))
    wanted = frozenset([tags] if isinstance(tags, str) else tags or ())
    variants.get(wanted)
    prefix = saved_model.checkpoint_prefix(path)
    contents = checkpoint.Contents(prefix, {}, {})
    if tf.io.gfile.exists(prefix + ".index"):
        contents = checkpoint.contents(prefix)
    device = options.experimental_io_device if options else None
    return ReusableModule(variants, State(contents, device), wanted)


def _what_it_is(path: str) -> str:
    """Says what is there instead of a SavedModel, and which call fits."""
    if not tf.io.gfile.exists(path):
        raise HandleNotFoundError(f"{path} does not exist.")
    missing = f"{path} contains neither {saved_model.BINARY} nor {saved_model.TEXT}"
    if not tf.io.gfile.isdir(path):
        if path.endswith((".keras", ".h5", ".hdf5")):
            return missing + ": it is a Keras file. Use keras.models.load_model()."
        return missing + ": it is a file. Pass the directory of a SavedModel."
    names = sorted(name.rstrip("/") for name in tf.io.gfile.listdir(path))
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return missing + (
            ". It holds a checkpoint, which has values but no graph: build the model in code, and "
            "restore it with tf.train.Checkpoint or tf.compat.v1.train.Saver."
        )
    if {"config.json", "model.weights.h5"} & set(names):
        return missing + ". It holds a Keras model. Use keras.models.load_model()."
    inner = [n for n in names if saved_model.is_saved_model(f"{path.rstrip('/')}/{n}")]
    if inner:
        return missing + f". A SavedModel lies deeper, in {inner[0]}: use that path."
    if not names:
        return missing + ": the directory is empty."
    return missing + f". There is {', '.join(names[:8])}: check the path, or fetch it again."

"""hub.load: a module or a SavedModel as an object."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from hubmodule.errors import HandleNotFoundError
from hubmodule.format.directory import Directory, check_not_checkpoint
from hubmodule.module.loading import find_directory, read_spec
from hubmodule.module.spec import read_checkpoint_of
from hubmodule.tf2.reusable_module import ReusableModule
from hubmodule.tf2.state import ModuleState
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
        NoSuchVariantError: if no graph variant has these tags.
        NotAModuleError: if there is something else; says what.
        UnregisteredOpsError: if no signature can be applied.
    """
    directory = _find_directory(handle)
    if directory.is_module:
        return _load_module(directory, os.fspath(handle), tags, options)
    wanted = None if tags is None else [tags] if isinstance(tags, str) else list(tags)
    return tf.saved_model.load(directory.path, tags=wanted, options=options)


def _find_directory(handle: str | os.PathLike[str]) -> Directory:
    try:
        return find_directory(handle)
    except HandleNotFoundError:
        check_not_checkpoint(os.fspath(handle))
        raise


def _load_module(
    directory: Directory,
    origin: str,
    tags: Iterable[str] | None,
    options: tf.saved_model.LoadOptions | None,
) -> ReusableModule:
    spec = read_spec(directory)
    variants = Variants(spec)
    chosen = variants.choose_tags(tags)
    contents = read_checkpoint_of(spec)
    assert contents is not None  # A spec that was read from a directory has a checkpoint's prefix.
    device = options.experimental_io_device if options else None
    return ReusableModule(variants, ModuleState(contents, device), chosen, origin)

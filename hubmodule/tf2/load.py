"""hub.load: a module or a SavedModel as an object."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from hubmodule.errors import HandleNotFoundError
from hubmodule.format.directory import Directory, check_not_checkpoint
from hubmodule.module.loading import find_directory, read_spec
from hubmodule.module.spec import read_checkpoint
from hubmodule.tf2.reusable_module import ReusableModule
from hubmodule.tf2.state import ModuleState
from hubmodule.tf2.variants import Variants
from hubmodule.urls import redact


@tf.autograph.experimental.do_not_convert
def load(
    handle: str | os.PathLike[str],
    tags: Iterable[str] | None = None,
    options: tf.saved_model.LoadOptions | None = None,
) -> Any:
    """Loads a module or a SavedModel.

        >>> embed = hub.load("modules/text")
        >>> embed
        <hub.load('modules/text'): module of the TF1 Hub format, graph variant [] of [[], \
['train']], signatures ['default'], 1 variable>
        >>> embed(["a text", "another"]).shape
        TensorShape([2, 4])

    A module of the TF1 Hub format is called with the value of its only input or a dict of its
    inputs, and with `training=True` in a training step. It has `variables`,
    `trainable_variables`, `regularization_losses` (functions without arguments), `signatures`, and
    `apply(inputs, signature)` for signatures other than "default":

        >>> with tf.GradientTape() as tape:
        ...     loss = tf.reduce_mean(tf.square(embed(["a text"], training=True)))
        ...     loss += tf.add_n([penalty() for penalty in embed.regularization_losses])
        >>> gradients = tape.gradient(loss, embed.trainable_variables)

    In a function under construction, the variables and tables are made once, outside of the
    function. In a tf.Graph, they are added to the collections that
    tf.compat.v1.global_variables_initializer() and tf.compat.v1.tables_initializer() read. Under
    the scope of a distribution strategy, the strategy makes the variables.

    Args:
        handle: The handle of the module or SavedModel: the path of its directory, on any file
            system that TensorFlow knows, or the path or address of an archive.
        tags: The tags of the graph variant, e.g. {"train"}. None means the variant without tags
            of a module, or the only MetaGraph of a plain SavedModel.
        options: Options for loading. For modules, only `experimental_io_device` has an effect:
            the device on which files are read.

    Returns:
        A ReusableModule for a module in the TF1 Hub format; for a plain SavedModel what
        tf.saved_model.load() returns.

    Raises:
        CheckpointError: If the module's checkpoint lacks a variable, or is damaged.
        HandleNotFoundError: If nothing exists at the handle.
        InvalidHandleError: If `handle` is neither a string nor a path.
        ModuleFormatError: If the module is damaged, or of a format that this version cannot read.
        ModuleRefusedError: If HUBMODULE_AUDIT is "refuse", and the audit has findings.
        NoSuchVariantError: If no graph variant has these tags; the message lists them.
        NotAModuleError: If it is neither a module nor a SavedModel; the message says what it is.
        UnregisteredOpsError: If every signature needs ops that are not registered in this
            process.
    """
    directory = _find_directory(handle)
    if directory.is_module:
        return _load_module(directory, redact(os.fspath(handle)), tags, options)
    wanted = None if tags is None else [tags] if isinstance(tags, str) else list(tags)
    return tf.saved_model.load(directory.path, tags=wanted, options=options)


def _find_directory(handle: str | os.PathLike[str]) -> Directory:
    """Finds the directory at a handle; says so if the handle is the prefix of a checkpoint."""
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
    contents = read_checkpoint(spec)
    assert contents is not None  # A spec that was read from a directory has a checkpoint's prefix.
    device = options.experimental_io_device if options else None
    return ReusableModule(variants, ModuleState(contents, device), chosen, origin)

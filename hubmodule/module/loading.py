"""Finds the directory of a handle, and loads the spec of the module in it."""

from __future__ import annotations

import os

from hubmodule import settings
from hubmodule.auditing.policy import check_policy
from hubmodule.errors import ModuleDefinitionError, NotAModuleError
from hubmodule.format import module_def, saved_model
from hubmodule.format.directory import Directory, inspect_directory
from hubmodule.module.spec import ModuleSpec, check_spec
from hubmodule.module.variant import Variant
from hubmodule.resolver import resolvers


def find_directory(handle: str | os.PathLike[str]) -> Directory:
    """Finds the directory of a module or SavedModel, and checks that it may be loaded.

    Graph mode, TF2, Keras layers, feature columns and `hubmodule convert` all call this function
    before they read a module's graphs, so HUBMODULE_AUDIT is obeyed here.

    Args:
        handle: The path of the directory, on any file system that TensorFlow knows, or the
            path or address of an archive.

    Raises:
        HandleNotFoundError: If nothing exists at the handle.
        InvalidHandleError: If `handle` is neither a string nor a path.
        ModuleFormatError: If it is a module of a format that this version cannot read.
        ModuleRefusedError: If HUBMODULE_AUDIT is "refuse", and the audit has findings.
        NotAModuleError: If it is neither a module nor a SavedModel; the message says what it is.
    """
    directory = inspect_directory(resolvers.resolve(handle))
    check_policy(directory.path)
    return directory


def load_module_spec(handle: str | os.PathLike[str]) -> ModuleSpec:
    """Loads a module's graphs; its variables are read when a session initialises them.

        >>> hub.load_module_spec("modules/text")
        <hub.ModuleSpec of modules/text, variants [[], ['train']]>

    Args:
        handle: The handle of the module: the path of its directory, on any file system that
            TensorFlow knows, or the path or address of an archive.

    Returns:
        The spec, from which hub.Module() makes a module.

    Raises:
        HandleNotFoundError: If nothing exists at the handle.
        NotAModuleError: If the handle is not that of a module; the message says what it is.
        ModuleFormatError: If the module is damaged, or in a format that this version cannot
            read.
        ModuleRefusedError: If HUBMODULE_AUDIT is "refuse", and the audit has findings.
    """
    directory = find_directory(handle)
    if not directory.is_module:
        raise NotAModuleError(
            f"{directory.path} is not a TF1 Hub module: {module_def.FILE_NAME} is missing. It "
            "is a plain SavedModel: use hub.load() in TF2, or "
            "hub.create_module_spec_from_saved_model() if it was made by TF1."
        )
    return read_spec(directory)


def read_spec(directory: Directory) -> ModuleSpec:
    """Reads the graphs of a module.

    Args:
        directory: The directory of a module, from find_directory().

    Raises:
        ModuleFormatError: If the module is damaged.
        NotAModuleError: If the directory lacks the file of the graphs.
    """
    variants = [
        Variant(frozenset(meta_graph.meta_info_def.tags), meta_graph, directory.path)
        for meta_graph in saved_model.read(directory.path)
    ]
    prefix = saved_model.get_checkpoint_prefix(directory.path)
    return ModuleSpec(variants, prefix, directory.path, allowed_by=settings.read_audit_policy())


def convert_to_spec(spec: ModuleSpec | str | os.PathLike[str]) -> ModuleSpec:
    """Returns a ModuleSpec, which it loads if it gets a handle; HUBMODULE_AUDIT applies to both.

    Args:
        spec: A ModuleSpec, or the handle of a module.

    Raises:
        ModuleDefinitionError: If `spec` is neither a ModuleSpec nor a handle.
        HandleNotFoundError: If nothing exists at the handle.
        NotAModuleError: If the handle is not that of a module.
        ModuleFormatError: If the module is damaged, or in an unknown format.
        ModuleRefusedError: If HUBMODULE_AUDIT is "refuse", and the audit has findings.
    """
    if isinstance(spec, ModuleSpec):
        check_spec(spec)
        return spec
    if isinstance(spec, (str, os.PathLike)):
        return load_module_spec(spec)
    raise ModuleDefinitionError(
        f"Unknown module spec type: {type(spec)}. Pass a hub.ModuleSpec or a handle, a string."
    )

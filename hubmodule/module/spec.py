"""ModuleSpec: a module that is not in a graph yet."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError, Message

from hubmodule import files
from hubmodule.errors import (
    ModuleDefinitionError,
    ModuleFormatError,
    NoSuchAttachmentError,
    VariableValueError,
)
from hubmodule.format import checkpoint, module_def, saved_model
from hubmodule.format.signatures import TensorInfo
from hubmodule.module.variant import Variant, chosen_tags
from hubmodule.surgery import collections

M = TypeVar("M", bound=Message)
Tags = Iterable[str] | None


class ModuleSpec:
    """A module that is not in a graph yet.

    Made by hub.create_module_spec() or hub.load_module_spec(); passed to hub.Module().

    Args:
        variants: its graph variants.
        checkpoint_prefix: where the values of its variables are; None if the author's
            initialisers give them.
        origin: what it was made of, for people to read.
    """

    def __init__(self, variants: Sequence[Variant], checkpoint_prefix: str | None, origin: str):
        self._variants = {variant.tags: variant for variant in variants}
        self._checkpoint_prefix = checkpoint_prefix
        self._origin = origin

    def __repr__(self) -> str:
        return (
            f"<hub.ModuleSpec of {self._origin}, variants {[sorted(t) for t in self.get_tags()]}>"
        )

    def get_tags(self) -> list[frozenset[str]]:
        """The sets of tags that name the graph variants; the default variant has none."""
        return list(self._variants)

    def get_signature_names(self, tags: Tags = None) -> list[str]:
        """The names of the signatures of a graph variant.

        Raises:
            NoSuchVariantError: if no variant has these tags; it lists those there are.
        """
        return list(self.variant(tags).signatures)

    def get_input_info_dict(
        self, signature: str | None = None, tags: Tags = None
    ) -> dict[str, TensorInfo]:
        """What the inputs of a signature are: by name, with dtype, get_shape() and more.

        Args:
            signature: its name; None is "default".
            tags: of the graph variant; None is the empty set.

        Raises:
            NoSuchSignatureError: if there is none of this name.
            NoSuchVariantError: if no variant has these tags.
        """
        return dict(self.variant(tags).signature(signature).inputs)

    def get_output_info_dict(
        self, signature: str | None = None, tags: Tags = None
    ) -> dict[str, TensorInfo]:
        """What the outputs of a signature are; as get_input_info_dict."""
        return dict(self.variant(tags).signature(signature).outputs)

    def get_attached_message(
        self, key: str, message_type: type[M], tags: Tags = None, required: bool = False
    ) -> M | None:
        """The message that the author attached to a graph variant.

        Args:
            key: under which it was attached.
            message_type: its class.
            tags: of the graph variant; None is the empty set.
            required: whether it must be there.

        Returns:
            The message; None if there is none and it is not required.

        Raises:
            ModuleFormatError: if it is of another class, where that can be told.
            NoSuchAttachmentError: if there is none though it is required.
            NoSuchVariantError: if no variant has these tags.
        """
        variant = self.variant(tags)
        if key in variant.attachments:
            try:
                return message_type.FromString(variant.attachments[key])
            except DecodeError as error:
                raise ModuleFormatError(
                    f"The message attached under '{key}' is no {message_type.__name__}: {error}. "
                    "Pass the class that the author attached."
                ) from error
        if required:
            raise NoSuchAttachmentError(
                f"No message is attached under '{key}' to graph variant {sorted(variant.tags)}; "
                f"there is {sorted(variant.attachments)}."
            )
        return None

    def export(
        self,
        path: str | os.PathLike[str],
        _sentinel: None = None,
        checkpoint_path: str | os.PathLike[str] | None = None,
        name_transform_fn: Callable[[str], str] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Writes the module with variables out of a checkpoint.

        Args:
            path: of the directory to make.
            checkpoint_path: the path prefix of a checkpoint with the variables, or a
                directory whose newest checkpoint is meant.
            name_transform_fn: gives for the name of a variable in the module its name
                in the checkpoint; they are the same if None.
            overwrite: whether a module that is at `path` is replaced.

        Raises:
            CheckpointError: if the checkpoint lacks a variable.
            ExportExistsError: if something is at `path` that may not be replaced.
            ModuleDefinitionError: if there is no checkpoint_path.
        """
        if _sentinel is not None or not checkpoint_path:
            raise ModuleDefinitionError(
                "Missing mandatory `checkpoint_path`: pass it by name, as in "
                "spec.export(path, checkpoint_path='/tmp/model/model.ckpt-100'). To export "
                "the values in a session, use hub.Module(spec).export(path, session)."
            )
        prefix = checkpoint.latest(os.fsdecode(checkpoint_path))
        rename = name_transform_fn or (lambda name: name)
        entries = entries_in(prefix, self._variants.values(), rename)
        self.write(path, functools.partial(checkpoint.write, entries=entries), overwrite)

    def export_values(
        self,
        path: str | os.PathLike[str],
        values: Mapping[str, np.ndarray | np.generic | bytes],
        overwrite: bool = False,
    ) -> None:
        """Writes the module with values that are at hand; needs neither graph nor session.

            spec.export_values("/tmp/module", {"embeddings": vectors})

        Args:
            path: of the directory to make.
            values: for the name of each variable in the module its value, an array of the
                variable's shape and dtype. Files that are mapped into memory (np.memmap) are
                written from there.
            overwrite: whether a module that is at `path` is replaced.

        Raises:
            ExportExistsError: if something is at `path` that may not be replaced.
            VariableValueError: if a value is missing, or of another shape or dtype, or if
                there is no such variable.
        """
        entries = [checkpoint.Entry(name, value) for name, value in values.items()]
        _check_values(entries, _wanted(self._variants.values()))
        self.write(path, functools.partial(checkpoint.write, entries=entries), overwrite)

    def variant(self, tags: Tags = None) -> Variant:
        """The graph variant with these tags; None is the empty set.

        Raises:
            NoSuchVariantError: if there is none; it lists those there are.
        """
        return self._variants[chosen_tags(tags, self._variants)]

    @functools.cached_property
    def checkpoint_contents(self) -> checkpoint.Contents | None:
        """What its checkpoint says of the variables, or None if there is no checkpoint.

        Raises:
            CheckpointError: if the checkpoint cannot be read.
        """
        if self._checkpoint_prefix is None:
            return None
        if not any(v.names_of(collections.VARIABLES) for v in self._variants.values()):
            return checkpoint.Contents(self._checkpoint_prefix, {}, {})
        return checkpoint.contents(self._checkpoint_prefix)

    def write(
        self,
        path: str | os.PathLike[str],
        write_variables: Callable[[str], None],
        overwrite: bool = False,
    ) -> None:
        """Writes a module directory, whole or not at all.

        Args:
            path: of the directory to make.
            write_variables: writes the variables' values, with names as in the module, to
                the checkpoint of a path prefix; nothing if there are none. The directory of
                the checkpoint is not there yet.
            overwrite: whether a module that is at `path` is replaced.

        Raises:
            ExportExistsError: if something is at `path` that may not be replaced.
        """
        with files.new_directory(path, module_def.FILE_NAME, overwrite) as directory:
            saved_model.write(directory, (v.meta_graph for v in self._variants.values()))
            write_variables(saved_model.checkpoint_prefix(directory))
            module_def.write(directory)


def entries_in(
    prefix: str, variants: Iterable[Variant], checkpoint_name: Callable[[str], str]
) -> Iterable[checkpoint.Entry]:
    """The values that a checkpoint has for the variables of a module.

    Args:
        prefix: the path prefix of the checkpoint.
        variants: whose variables are wanted.
        checkpoint_name: gives for the name of a variable in the module its name in the
            checkpoint.

    Raises:
        CheckpointError: if the checkpoint lacks a variable; before anything is read.
    """
    if not (wanted := _wanted(variants)):
        return []
    contents = checkpoint.contents(prefix)
    for name, (shape, dtype) in wanted.items():
        contents.check(checkpoint_name(name), shape, dtype)
    values = checkpoint.read(prefix, [checkpoint_name(name) for name in wanted])
    return (checkpoint.Entry(n, value) for n, value in zip(wanted, values, strict=True))


def _wanted(variants: Iterable[Variant]) -> dict[str, tuple[tf.TensorShape, tf.DType]]:
    """What a checkpoint of a module has to have: names, and what each is."""
    return {
        variable.checkpoint_name: (variable.checkpoint_shape, variable.dtype)
        for variant in variants
        for variable in variant.variables
    }


def _check_values(
    entries: Sequence[checkpoint.Entry], wanted: Mapping[str, tuple[tf.TensorShape, tf.DType]]
) -> None:
    given = {entry.name for entry in entries}
    missing, unknown = sorted(wanted.keys() - given), sorted(given - wanted.keys())
    if missing or unknown:
        raise VariableValueError(
            f"Values do not fit the variables: missing {missing[:8]}, without a variable "
            f"{unknown[:8]}. Give one for each of the {len(wanted)} names in "
            "hub.Module(spec).variable_map."
        )
    for entry in entries:
        (shape, dtype), array = wanted[entry.name], entry.array
        fits = array.dtype.kind in "OSU" if dtype == tf.string else array.dtype == dtype
        if not (fits and shape.is_compatible_with(array.shape)):
            raise VariableValueError(
                f"The value of '{entry.name}' is {array.dtype} {array.shape}, but the variable is "
                f"{dtype.name} {shape}. Convert it."
            )

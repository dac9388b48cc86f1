"""hub.ModuleSpec: a module that is not in a graph yet."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError, Message

from hubmodule import files
from hubmodule.auditing.policy import check_graphs
from hubmodule.errors import (
    ModuleDefinitionError,
    ModuleFormatError,
    NoSuchAttachmentError,
    VariableValueError,
)
from hubmodule.format import checkpoint, module_def, saved_model
from hubmodule.format.signatures import TensorInfo
from hubmodule.module.variant import Variant, choose_tags
from hubmodule.settings import AuditPolicy
from hubmodule.surgery import collections

M = TypeVar("M", bound=Message)
Tags = Iterable[str] | None


class ModuleSpec:
    """A module that is not in a graph yet.

    hub.create_module_spec() and hub.load_module_spec() make specs; hub.Module() takes them. A spec
    says which graph variants and signatures there are, with names, dtypes and shapes:

        >>> spec = hub.load_module_spec("modules/text")
        >>> spec.get_tags()
        [frozenset(), frozenset({'train'})]
        >>> spec.get_signature_names()
        ['default']
        >>> spec.get_output_info_dict()["default"].get_shape()
        TensorShape([None, 4])

    Args:
        variants: The graph variants.
        checkpoint_prefix: The path prefix of the checkpoint with the values of the variables;
            None if the author's initialisers compute them.
        origin: What the spec was made from: the directory, if it was read from files.
        allowed_by: The value of HUBMODULE_AUDIT that allowed to read it from files.
    """

    # For specs that an older version pickled.
    _allowed_by = AuditPolicy.OFF

    def __init__(
        self,
        variants: Sequence[Variant],
        checkpoint_prefix: str | None,
        origin: str,
        allowed_by: AuditPolicy = AuditPolicy.OFF,
    ):
        self._variants = {variant.tags: variant for variant in variants}
        self._checkpoint_prefix = checkpoint_prefix
        self._origin = origin
        self._allowed_by = allowed_by

    def __repr__(self) -> str:
        return (
            f"<hub.ModuleSpec of {self._origin}, variants {[sorted(t) for t in self.get_tags()]}>"
        )

    def get_tags(self) -> list[frozenset[str]]:
        """Returns the set of tags of each graph variant; that of the default variant is empty."""
        return list(self._variants)

    def get_signature_names(self, tags: Tags = None) -> list[str]:
        """Returns the names of the signatures of a graph variant.

        Args:
            tags: The tags of the graph variant, e.g. {"train"}; None means the variant
                without tags.

        Raises:
            NoSuchVariantError: If no graph variant has these tags; the message lists them.
        """
        return list(get_variant(self, tags).signatures)

    def get_input_info_dict(
        self, signature: str | None = None, tags: Tags = None
    ) -> dict[str, TensorInfo]:
        """Describes the inputs of a signature.

        Args:
            signature: The name of the signature; None means "default".
            tags: The tags of the graph variant, e.g. {"train"}; None means the variant
                without tags.

        Returns:
            A dict from the names of the inputs to objects with `dtype`, `get_shape()`,
            `is_sparse`, `is_composite` and `type_spec`.

        Raises:
            NoSuchSignatureError: If no signature has this name.
            NoSuchVariantError: If no graph variant has these tags.
        """
        return dict(get_variant(self, tags).get_signature(signature).inputs)

    def get_output_info_dict(
        self, signature: str | None = None, tags: Tags = None
    ) -> dict[str, TensorInfo]:
        """Describes the outputs of a signature.

        Args:
            signature: The name of the signature; None means "default".
            tags: The tags of the graph variant, e.g. {"train"}; None means the variant
                without tags.

        Returns:
            A dict from the names of the outputs to objects with `dtype`, `get_shape()`,
            `is_sparse`, `is_composite` and `type_spec`.

        Raises:
            NoSuchSignatureError: If no signature has this name.
            NoSuchVariantError: If no graph variant has these tags.
        """
        return dict(get_variant(self, tags).get_signature(signature).outputs)

    def get_attached_message(
        self, key: str, message_type: type[M], tags: Tags = None, required: bool = False
    ) -> M | None:
        """Returns a message that the author attached to a graph variant.

        Args:
            key: The key that the author passed to hub.attach_message().
            message_type: The class of the message.
            tags: The tags of the graph variant, e.g. {"train"}; None means the variant
                without tags.
            required: Whether it is an error if no message is attached under the key.

        Returns:
            The message; None if there is none and it is not required.

        Raises:
            ModuleFormatError: If the message cannot be read as one of this class.
            NoSuchAttachmentError: If there is none and it is required.
            NoSuchVariantError: If no graph variant has these tags.
        """
        variant = get_variant(self, tags)
        if key in variant.attachments:
            try:
                return message_type.FromString(variant.attachments[key])
            except DecodeError as error:
                raise ModuleFormatError(
                    f"The message attached under '{key}' is not of type {message_type.__name__}: "
                    f"{error}. Pass the class that the author attached."
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
        """Writes the module with variables from a checkpoint.

        Args:
            path: The path of the directory to write. It appears when it is complete.
            checkpoint_path: The path prefix of a checkpoint with the variables, or a
                directory, of which the newest checkpoint is taken.
            name_transform_fn: A function from the name of a variable in the module to its
                name in the checkpoint; None means that they are the same.
            overwrite: Whether to replace a module that is already at `path`.

        Raises:
            CheckpointError: If a variable is missing in the checkpoint, or has another shape
                or type there.
            ExportExistsError: If there is something at `path` that may not be replaced.
            ModuleDefinitionError: If no `checkpoint_path` is given.
        """
        if _sentinel is not None or not checkpoint_path:
            raise ModuleDefinitionError(
                "Missing mandatory `checkpoint_path`: pass it by name, as in "
                "spec.export(path, checkpoint_path='/tmp/model/model.ckpt-100'). To export "
                "the values in a session, use hub.Module(spec).export(path, session)."
            )
        prefix = checkpoint.find_latest(os.fsdecode(checkpoint_path))
        rename = name_transform_fn or (lambda name: name)
        entries = read_entries(prefix, self._variants.values(), rename)
        write_module(self, path, functools.partial(checkpoint.write, entries=entries), overwrite)

    def export_values(
        self,
        path: str | os.PathLike[str],
        values: Mapping[str, np.ndarray | np.generic | bytes],
        overwrite: bool = False,
    ) -> None:
        """Writes the module with variables from NumPy arrays; needs neither graph nor session.

            >>> spec = hub.load_module_spec("modules/text")
            >>> spec.export_values("modules/zeros", {"embeddings": np.zeros([10, 4], np.float32)})

        Args:
            path: The path of the directory to write. It appears when it is complete.
            values: A dict from the name of each variable in the module to its value, an array
                of the variable's shape and dtype. A file that is mapped into memory
                (np.memmap) is not read into memory.
            overwrite: Whether to replace a module that is already at `path`.

        Raises:
            ExportExistsError: If there is something at `path` that may not be replaced.
            VariableValueError: If a value is missing, has another shape or dtype than its
                variable, or has the name of no variable.
        """
        entries = [checkpoint.Entry(name, value) for name, value in values.items()]
        _check_values(entries, _list_wanted_variables(self._variants.values()))
        write_module(self, path, functools.partial(checkpoint.write, entries=entries), overwrite)

    @functools.cached_property
    def _checkpoint_contents(self) -> checkpoint.Contents | None:
        if self._checkpoint_prefix is None:
            return None
        has_variables = any(
            v.list_variable_names(collections.VARIABLES) for v in self._variants.values()
        )
        # The variant that is used may need no variable, so a missing checkpoint is allowed.
        if has_variables and checkpoint.is_checkpoint(self._checkpoint_prefix):
            return checkpoint.read_contents(self._checkpoint_prefix)
        return checkpoint.Contents(self._checkpoint_prefix, {}, {})

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_encoded_graphs"}

    @functools.cached_property
    def _encoded_graphs(self) -> saved_model.EncodedGraphs:
        # A program that trains may export often, and the graphs do not change.
        return saved_model.encode(variant.meta_graph for variant in self._variants.values())


def get_variant(spec: ModuleSpec, tags: Tags = None) -> Variant:
    """Returns the graph variant of a spec that has some tags.

    Args:
        spec: The spec.
        tags: The tags of the graph variant; None means the variant without tags.

    Raises:
        NoSuchVariantError: If no graph variant has these tags; the message lists them.
    """
    return spec._variants[choose_tags(tags, spec._variants)]


def check_spec(spec: ModuleSpec) -> None:
    """Audits a spec before it is used, if HUBMODULE_AUDIT was set after the spec was read.

    A program may read or unpickle a spec long before it makes a module of it. A spec that the
    program itself made is not audited.

    Raises:
        ModuleRefusedError: If HUBMODULE_AUDIT is "refuse", and the audit has findings.
    """
    if spec._checkpoint_prefix is not None:
        graphs = [variant.meta_graph for variant in spec._variants.values()]
        spec._allowed_by = check_graphs(graphs, spec._origin, spec._allowed_by)


def read_checkpoint(spec: ModuleSpec) -> checkpoint.Contents | None:
    """Reads, once, which variables the checkpoint of a spec has.

    Returns:
        The contents; None if the spec has no checkpoint.

    Raises:
        CheckpointError: If the checkpoint cannot be read.
    """
    return spec._checkpoint_contents


def write_module(
    spec: ModuleSpec,
    path: str | os.PathLike[str],
    write_variables: Callable[[str], None],
    overwrite: bool = False,
) -> None:
    """Writes a module directory, whole or not at all.

    Args:
        spec: Of which all graph variants are written.
        path: The path of the directory to write.
        write_variables: A function that writes the variables' values, under their names in
            the module, to a checkpoint with the path prefix that it is given; it writes
            nothing if there are no variables. It makes the directory of the checkpoint.
        overwrite: Whether to replace a module that is already at `path`.

    Raises:
        ExportExistsError: If there is something at `path` that may not be replaced.
    """
    with files.make_directory(
        path, module_def.FILE_NAME, overwrite, saved_model.ENTRIES
    ) as directory:
        saved_model.write(directory, spec._encoded_graphs)
        write_variables(saved_model.get_checkpoint_prefix(directory))
        module_def.write(directory)


def read_entries(
    prefix: str, variants: Iterable[Variant], checkpoint_name: Callable[[str], str]
) -> Iterable[checkpoint.Entry]:
    """Reads the values of a module's variables from a checkpoint, one at a time.

    Args:
        prefix: The path prefix of the checkpoint.
        variants: The graph variants of which all variables are read.
        checkpoint_name: A function from the name of a variable in the module to its name in
            the checkpoint.

    Raises:
        CheckpointError: If a variable is missing in the checkpoint, or has another shape or
            type there; before the first value is read.
    """
    if not (wanted := _list_wanted_variables(variants)):
        return []
    contents = checkpoint.read_contents(prefix)
    for name, (shape, dtype) in wanted.items():
        contents.check(checkpoint_name(name), shape, dtype)
    values = checkpoint.read(prefix, [checkpoint_name(name) for name in wanted])
    return (checkpoint.Entry(n, value) for n, value in zip(wanted, values, strict=True))


def _list_wanted_variables(
    variants: Iterable[Variant],
) -> dict[str, tuple[tf.TensorShape, tf.DType]]:
    """Lists the shape and dtype of each variable by the name that it has in a checkpoint."""
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
        problems = [f"lack the variables {missing[:8]}"] if missing else []
        problems += [f"have names {unknown[:8]} that no variable has"] if unknown else []
        raise VariableValueError(
            f"The values {' and '.join(problems)}. Give one for each of the {len(wanted)} names in "
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

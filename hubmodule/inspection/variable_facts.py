"""Reads the variables of a module from its collections and its checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import tensorflow as tf
from tensorflow.core.framework.variable_pb2 import VariableDef

from hubmodule.inspection import tensor_types
from hubmodule.inspection.checkpoint_index import CheckpointIndex, IndexEntry
from hubmodule.inspection.facts import Shape, VariableFacts
from hubmodule.inspection.nodes import VARIABLE_OPS
from hubmodule.surgery.names import get_op_name

Tags = tuple[str, ...]


@dataclasses.dataclass
class VariableInVariants:
    """A variable, as graph variants describe it.

    Attributes:
        dtype: The number of its type in TensorFlow's DataType enum; 0 if the graph
            was not searched for it, or does not have it.
        shape: Its shape; of a partitioned variable, that of the whole.
        variants: The tags of the variants that have it.
        trainable_in: The tags of the variants where it is trainable.
        partitions: The number of its parts in the graph.
        key: Its name in the checkpoint; "" if it has none.
    """

    dtype: int
    shape: Shape
    variants: tuple[Tags, ...]
    trainable_in: tuple[Tags, ...]
    partitions: int
    key: str


def read_collections(
    tags: Tags,
    variables: Iterable[VariableDef],
    trainable: Iterable[VariableDef],
    nodes: Iterable[tf.compat.v1.NodeDef],
    index: CheckpointIndex,
) -> dict[str, VariableInVariants]:
    """Makes the variables of one graph variant of TF1 from its collections.

    Args:
        tags: The tags of the variant.
        variables: The variables of the variant.
        trainable: The trainable variables of the variant.
        nodes: The nodes of its graph.
        index: The index of the checkpoint.

    Returns:
        The variables by their names in the checkpoint.
    """
    trainable_names = {variable.variable_name for variable in trainable}
    found: dict[str, VariableInVariants] = {}
    missing: dict[str, str] = {}
    for variable in variables:
        name = key = get_op_name(variable.variable_name)
        shape: Shape = None
        if variable.HasField("save_slice_info_def"):
            key = variable.save_slice_info_def.full_name
            shape = tuple(variable.save_slice_info_def.full_shape)
        if key in found:
            found[key].partitions += 1
            continue
        in_training = (tags,) if variable.variable_name in trainable_names else ()
        found[key] = VariableInVariants(0, shape, (tags,), in_training, 1, key)
        if key not in index.entries:
            missing[key] = name
    # Only these need a search of the graph, whose shapes may be incomplete: the checkpoint states
    # the types and complete shapes of the others.
    holders = {n.name: n for n in nodes if n.op in VARIABLE_OPS} if missing else {}
    for key, name in missing.items():
        dtype, shape = _read_type(holders.get(name))
        found[key].dtype, found[key].shape = dtype, found[key].shape or shape
    return found


def merge_variants(
    variants: Iterable[dict[str, VariableInVariants]],
) -> dict[str, VariableInVariants]:
    """Merges the variables of several graph variants.

    Args:
        variants: For each variant, its variables by name. The function changes them.

    Returns:
        The variables of all variants by name.
    """
    merged: dict[str, VariableInVariants] = {}
    for variables in variants:
        for name, variable in variables.items():
            if name in merged:
                merged[name].variants += variable.variants
                merged[name].trainable_in += variable.trainable_in
            else:
                merged[name] = variable
    return merged


def make_facts(
    variables: dict[str, VariableInVariants],
    index: CheckpointIndex,
    only_named: bool,
    damage: list[str],
) -> tuple[VariableFacts, ...]:
    """Makes the facts of variables from the graph variants and the checkpoint.

    Args:
        variables: The variables of all variants by name.
        index: The index of the checkpoint.
        only_named: Whether to leave out variables that only the checkpoint has. If not, their
            `variants` is empty.
        damage: A list to which the function appends a sentence if the checkpoint lacks values.

    Returns:
        The facts, sorted by name.
    """
    facts = [
        _make_variable_facts(name, v, index.entries.get(v.key)) for name, v in variables.items()
    ]
    if not only_named:
        named = {variable.key for variable in variables.values()}
        facts += [
            _make_stored_facts(k, entry) for k, entry in index.entries.items() if k not in named
        ]
    missing = sorted(n for n, v in variables.items() if v.key not in index.entries)
    if missing:
        damage.append(
            f"The checkpoint has no value for {len(missing)} of {len(variables)} variables, "
            f"{missing[0]!r} among them."
        )
    return tuple(sorted(facts, key=lambda variable: variable.name))


def _make_variable_facts(
    name: str, variable: VariableInVariants, entry: IndexEntry | None
) -> VariableFacts:
    dtype, shape = variable.dtype, variable.shape
    if entry is not None:
        dtype, shape = entry.dtype, entry.shape
    return VariableFacts(
        name,
        tensor_types.get_dtype_name(dtype),
        shape,
        entry.size if entry else tensor_types.compute_value_bytes(dtype, shape),
        variable.variants,
        variable.trainable_in,
        max(variable.partitions, len(entry.parts) if entry else 1),
        entry.digest if entry else None,
        variable.key,
    )


def _make_stored_facts(name: str, entry: IndexEntry) -> VariableFacts:
    dtype = tensor_types.get_dtype_name(entry.dtype)
    return VariableFacts(
        name, dtype, entry.shape, entry.size, (), (), len(entry.parts), entry.digest, name
    )


def _read_type(node: tf.compat.v1.NodeDef | None) -> tuple[int, Shape]:
    if node is None or "dtype" not in node.attr or "shape" not in node.attr:
        return 0, None
    return node.attr["dtype"].type, tensor_types.read_shape(node.attr["shape"].shape)

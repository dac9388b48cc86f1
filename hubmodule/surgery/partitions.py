"""The slices of partitioned variables: their names, shapes and positions."""

from __future__ import annotations

from collections.abc import Iterable

from tensorflow.core.framework.variable_pb2 import VariableDef

from hubmodule.surgery.names import get_op_name


def is_slice(variable_def: VariableDef) -> bool:
    """Whether a variable is a slice of a partitioned variable."""
    return variable_def.HasField("save_slice_info_def")


def get_full_name(variable_def: VariableDef) -> str:
    """Returns the name of a variable in a checkpoint; all slices of a variable share it."""
    if is_slice(variable_def):
        return variable_def.save_slice_info_def.full_name
    return get_op_name(variable_def.variable_name)


def make_slice_spec(variable_def: VariableDef) -> str:
    """Returns the position of a slice, as SaveV2 and RestoreV2 take it; "" for other variables.

    The format, "4 2 0,2:-", is that of tensorflow/core/framework/tensor_slice.h: the
    full shape, then start and length per dimension.
    """
    if not is_slice(variable_def):
        return ""
    info = variable_def.save_slice_info_def
    shape = " ".join(str(size) for size in info.full_shape)
    extents = ":".join(
        f"{start},{size}" for start, size in zip(info.var_offset, info.var_shape, strict=True)
    )
    return f"{shape} {extents}"


def get_full_shape(variable_def: VariableDef) -> tuple[int, ...] | None:
    """Returns the shape of the whole variable of a slice; None for other variables."""
    if not is_slice(variable_def):
        return None
    return tuple(variable_def.save_slice_info_def.full_shape)


def group_by_full_name(variable_defs: Iterable[VariableDef]) -> dict[str, list[VariableDef]]:
    """Groups variables by their names in a checkpoint; slices in the order of their offsets."""
    groups: dict[str, list[VariableDef]] = {}
    for variable_def in variable_defs:
        groups.setdefault(get_full_name(variable_def), []).append(variable_def)
    for slices in groups.values():
        slices.sort(key=lambda slice_def: list(slice_def.save_slice_info_def.var_offset))
    return groups

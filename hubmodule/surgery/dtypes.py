"""The types of what an op gives, as its node and its OpDef tell."""

from __future__ import annotations

import tensorflow as tf

from hubmodule import _tf


def get_output_dtypes(node: tf.compat.v1.NodeDef) -> list[int]:
    """The DataType of each output of a node; empty if the type of op is not known."""
    definition = _tf.op_def(node.op)
    if definition is None:
        return []
    # Nodes may lack attributes that have their default values.
    attributes = {attr.name: attr.default_value for attr in definition.attr} | dict(node.attr)
    dtypes: list[int] = []
    for output in definition.output_arg:
        if output.type_list_attr:
            dtypes.extend(attributes[output.type_list_attr].list.type)
        else:
            dtype = output.type or attributes[output.type_attr].type
            count = attributes[output.number_attr].i if output.number_attr else 1
            dtypes.extend([dtype] * count)
    return dtypes

"""The dtypes of the outputs of an op, from its node and its OpDef."""

from __future__ import annotations

import tensorflow as tf

from hubmodule import _tf


def get_output_dtypes(node: tf.compat.v1.NodeDef) -> list[int]:
    """Returns the DataType of each output of a node; [] if this process does not know the op."""
    definition = _tf.find_op_def(node.op)
    if definition is None:
        return []
    # Nodes may lack attributes with default values.
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

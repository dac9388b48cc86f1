"""Reads the variables of the objects of a TF2 SavedModel."""

from __future__ import annotations

import collections

from tensorflow.core.protobuf.saved_object_graph_pb2 import SavedObjectGraph
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from hubmodule.inspection import tensor_types
from hubmodule.inspection.variable_facts import Tags, VariableInVariants

_KEY_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def read_variables(
    tags: Tags, objects: SavedObjectGraph, stored: TrackableObjectGraph
) -> dict[str, VariableInVariants]:
    """Reads the variables of an object graph.

    Args:
        tags: The tags of the variant that the objects belong to.
        objects: The graph of the objects of the SavedModel.
        stored: The graph of the objects of its checkpoint.

    Returns:
        The variables by name; those that share a name, or have none, by their paths in the
        checkpoint.
    """
    keys = _find_checkpoint_keys(objects, stored)
    nodes = {i: node for i, node in enumerate(objects.nodes) if node.HasField("variable")}
    uses = collections.Counter(node.variable.name for node in nodes.values())
    found = {}
    for number, node in nodes.items():
        variable = node.variable
        key = keys.get(number, "")
        name = variable.name
        if not name or uses[name] > 1:
            name = key.removesuffix(_KEY_SUFFIX) or f"object {number}"
        found[name] = VariableInVariants(
            variable.dtype,
            tensor_types.read_shape(variable.shape),
            (tags,),
            (tags,) if variable.trainable else (),
            1,
            key,
        )
    return found


def _find_checkpoint_keys(
    objects: SavedObjectGraph, stored: TrackableObjectGraph
) -> dict[int, str]:
    """Finds the keys of variables in the checkpoint: number in the SavedModel -> key.

    Walks both graphs from their roots along equal names, as the loader does.
    """
    keys = {}
    reached = {0}
    waiting = [(0, 0)] if objects.nodes and stored.nodes else []
    for number, twin in waiting:  # grows during the loop
        for attribute in stored.nodes[twin].attributes:
            if attribute.checkpoint_key.endswith(_KEY_SUFFIX):
                keys[number] = attribute.checkpoint_key
        twins = {child.local_name: child.node_id for child in stored.nodes[twin].children}
        for child in objects.nodes[number].children:
            other = twins.get(child.local_name, -1)
            if (
                child.node_id not in reached
                and 0 <= child.node_id < len(objects.nodes)
                and 0 <= other < len(stored.nodes)
            ):
                reached.add(child.node_id)
                waiting.append((child.node_id, other))
    return keys

"""Reads the objects of a TF2 SavedModel: its variables, and how to call the root object."""

from __future__ import annotations

import collections
from collections.abc import Iterator

from tensorflow.core.protobuf.saved_object_graph_pb2 import SavedObject, SavedObjectGraph
from tensorflow.core.protobuf.struct_pb2 import StructuredValue
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from hubmodule.inspection import tensor_types
from hubmodule.inspection.facts import Call, TensorFacts
from hubmodule.inspection.variable_facts import Tags, VariableInVariants
from hubmodule.inspection.wording import describe_type

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


def read_calls(objects: SavedObjectGraph) -> tuple[Call, ...]:
    """Reads the ways to call the root object.

    Args:
        objects: The graph of the objects of a SavedModel.

    Returns:
        The ways to call it; empty if it cannot be called.
    """
    node = _find_call_function(objects)
    if node is None:
        return ()
    arguments = _read_argument_names(node)
    calls = []
    for name in sorted(set(node.function.concrete_functions)):
        if name not in objects.concrete_functions:
            continue
        function = objects.concrete_functions[name]
        inputs, keywords = function.canonicalized_input_signature.tuple_value.values[:2] or (
            StructuredValue(),
            StructuredValue(),
        )
        values = list(inputs.tuple_value.values)
        named = [*zip(arguments, values, strict=False), *sorted(keywords.dict_value.fields.items())]
        named += [("", value) for value in values[len(arguments) :]]
        text = ", ".join(
            f"{key}: {_describe(value)}" if key else _describe(value) for key, value in named
        )
        tensors = tuple(t for key, value in named for t in _list_tensors(key, value))
        calls.append(Call(text, _describe(function.output_signature), tensors))
    return tuple(dict.fromkeys(calls))


def _find_call_function(objects: SavedObjectGraph) -> SavedObject | None:
    if not objects.nodes:
        return None
    for child in objects.nodes[0].children:
        if child.local_name == "__call__" and 0 <= child.node_id < len(objects.nodes):
            node = objects.nodes[child.node_id]
            return node if node.HasField("function") else None
    return None


def _read_argument_names(node: SavedObject) -> list[str]:
    spec = node.function.function_spec
    for value in spec.fullargspec.named_tuple_value.values:
        if value.key == "args":
            names = [name.string_value for name in value.value.list_value.values]
            return names[1:] if spec.is_method or names[:1] == ["self"] else names
    return []


def _describe(value: StructuredValue) -> str:
    """Writes a structure of tensors and constants in Python's notation."""
    kind = value.WhichOneof("kind")
    if kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        spec = getattr(value, kind)
        return describe_type(
            tensor_types.get_dtype_name(spec.dtype), tensor_types.read_shape(spec.shape)
        )
    if kind == "type_spec_value":
        return value.type_spec_value.type_spec_class_name or "composite"
    if kind in ("list_value", "tuple_value"):
        inner = ", ".join(map(_describe, getattr(value, kind).values))
        return f"[{inner}]" if kind == "list_value" else f"({inner})"
    if kind == "dict_value":
        fields = sorted(value.dict_value.fields.items())
        return "{" + ", ".join(f"{key!r}: {_describe(item)}" for key, item in fields) + "}"
    if kind in ("float64_value", "int64_value", "string_value", "bool_value"):
        return repr(getattr(value, kind))
    return "None" if kind in (None, "none_value") else kind.removesuffix("_value")


def _list_tensors(name: str, value: StructuredValue) -> Iterator[TensorFacts]:
    kind = value.WhichOneof("kind")
    if kind == "tensor_spec_value":
        spec = value.tensor_spec_value
        shape = tensor_types.read_shape(spec.shape)
        yield TensorFacts(name, tensor_types.get_dtype_name(spec.dtype), shape)
    elif kind == "type_spec_value":
        type_name = value.type_spec_value.type_spec_class_name or "composite"
        yield TensorFacts(name, "", None, "composite", type_name)
    elif kind in ("list_value", "tuple_value"):
        for index, item in enumerate(getattr(value, kind).values):
            yield from _list_tensors(f"{name}[{index}]", item)
    elif kind == "dict_value":
        for key, item in sorted(value.dict_value.fields.items()):
            yield from _list_tensors(f"{name}[{key!r}]", item)


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

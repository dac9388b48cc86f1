"""Reads how to call a TF2 SavedModel: the traces of the public methods of its root object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tensorflow.core.protobuf.saved_object_graph_pb2 import (
    SavedConcreteFunction,
    SavedObject,
    SavedObjectGraph,
)
from tensorflow.core.protobuf.struct_pb2 import StructuredValue

from hubmodule.inspection import tensor_types
from hubmodule.inspection.facts import CALL_METHOD, Argument, Call, TensorFacts
from hubmodule.inspection.wording import describe_type

_TENSOR = "tensor"


def read_calls(objects: SavedObjectGraph) -> tuple[Call, ...]:
    """Reads the ways to call the root object and its public methods.

    Args:
        objects: The graph of the objects of a SavedModel.

    Returns:
        The calls: those of each method in the order in which the loader tries them; empty if
        nothing can be called.
    """
    calls = [
        _make_call(method, node, objects.concrete_functions[name])
        for method, node in sorted(_find_methods(objects).items())
        for name in node.function.concrete_functions
        if name in objects.concrete_functions
    ]
    return tuple(dict.fromkeys(calls))


def _find_methods(objects: SavedObjectGraph) -> Mapping[str, SavedObject]:
    """Finds the functions that are attributes of the root object, without private ones."""
    children = objects.nodes[0].children if objects.nodes else ()
    return {
        child.local_name: objects.nodes[child.node_id]
        for child in children
        if (child.local_name == CALL_METHOD or not child.local_name.startswith("_"))
        and 0 <= child.node_id < len(objects.nodes)
        and objects.nodes[child.node_id].HasField("function")
    }


def _make_call(method: str, node: SavedObject, function: SavedConcreteFunction) -> Call:
    names, defaults = _read_parameters(node)
    # The first value has the positional arguments, the second those that are given by name.
    given = [*function.canonicalized_input_signature.tuple_value.values[:2]]
    given += [StructuredValue()] * (2 - len(given))
    values = list(given[0].tuple_value.values)
    named = [*zip(names, values, strict=False), *sorted(given[1].dict_value.fields.items())]
    named += [("", value) for value in values[len(names) :]]
    text = ", ".join(
        f"{name}: {_describe(value)}" if name else _describe(value) for name, value in named
    )
    parameters = tuple(
        _make_argument(name, value, is_optional=defaults.get(name) == value)
        for name, value in named
    )
    return Call(
        arguments=text,
        outputs=_describe(function.output_signature),
        inputs=tuple(tensor for parameter in parameters for tensor in parameter.tensors),
        method=method,
        parameters=parameters,
        result=_make_argument("", function.output_signature),
    )


def _make_argument(name: str, value: StructuredValue, is_optional: bool = False) -> Argument:
    tensors = tuple(_list_tensors(name, value))
    return Argument(name, _describe(value, with_types=False), tensors, is_optional)


def _read_parameters(node: SavedObject) -> tuple[list[str], dict[str, StructuredValue]]:
    """Reads the names of the positional parameters of a method, and all default values."""
    spec = node.function.function_spec
    fields = {pair.key: pair.value for pair in spec.fullargspec.named_tuple_value.values}
    names = [name.string_value for name in fields["args"].list_value.values] if fields else []
    values = list(fields["defaults"].tuple_value.values) if "defaults" in fields else []
    defaults = dict(zip(reversed(names), reversed(values), strict=False))
    if "kwonlydefaults" in fields:
        defaults.update(fields["kwonlydefaults"].dict_value.fields)
    is_method = spec.is_method or names[:1] == ["self"]
    return (names[1:] if is_method else names), defaults


def _describe(value: StructuredValue, with_types: bool = True) -> str:
    """Writes a structure of tensors and constants in Python's notation.

    Args:
        value: The structure.
        with_types: Whether to write the type and shape of each tensor, or only "tensor".
    """
    kind = value.WhichOneof("kind")
    if kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        spec = getattr(value, kind)
        shape = tensor_types.read_shape(spec.shape)
        dtype = tensor_types.get_dtype_name(spec.dtype)
        return describe_type(dtype, shape) if with_types else _TENSOR
    if kind == "type_spec_value":
        name = value.type_spec_value.type_spec_class_name or "composite"
        return name if with_types else _TENSOR
    if kind in ("list_value", "tuple_value"):
        inner = ", ".join(_describe(item, with_types) for item in getattr(value, kind).values)
        return f"[{inner}]" if kind == "list_value" else f"({inner})"
    if kind == "dict_value":
        fields = sorted(value.dict_value.fields.items())
        return "{" + ", ".join(f"{k!r}: {_describe(item, with_types)}" for k, item in fields) + "}"
    if kind in ("float64_value", "int64_value", "string_value", "bool_value"):
        return repr(getattr(value, kind))
    return "None" if kind in (None, "none_value") else kind.removesuffix("_value")


def _list_tensors(name: str, value: StructuredValue) -> Iterator[TensorFacts]:
    kind = value.WhichOneof("kind")
    if kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        spec = getattr(value, kind)
        shape = tensor_types.read_shape(spec.shape)
        yield TensorFacts(name, tensor_types.get_dtype_name(spec.dtype), shape)
    elif kind == "type_spec_value":
        yield tensor_types.read_type_spec(name, value.type_spec_value)
    elif kind in ("list_value", "tuple_value"):
        for index, item in enumerate(getattr(value, kind).values):
            yield from _list_tensors(f"{name}[{index}]", item)
    elif kind == "dict_value":
        for key, item in sorted(value.dict_value.fields.items()):
            yield from _list_tensors(f"{name}[{key!r}]", item)

"""The function library of a graph: what of it is needed, and under which names."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2, function_pb2


def needed_library(
    nodes: Iterable[tf.compat.v1.NodeDef], library: function_pb2.FunctionDefLibrary
) -> function_pb2.FunctionDefLibrary:
    """The part of a library that the nodes need, directly or through other functions."""
    kept = function_pb2.FunctionDefLibrary()
    if not library.function:
        return kept
    calls = _calls_of_functions(library)
    needed = _reachable(_called(nodes, calls), calls)
    kept.function.extend(f for f in library.function if f.signature.name in needed)
    kept.gradient.extend(g for g in library.gradient if g.function_name in needed)
    return kept


def with_renamed_functions(graph_def: tf.compat.v1.GraphDef, suffix: str) -> tf.compat.v1.GraphDef:
    """The graph with a suffix to the name of each of its functions; itself if it has none.

    Functions are one namespace per graph, and TensorFlow names them by counters
    ("while_body_12"), so two modules made by two programs often use one name for
    two functions. Even one module needs new names for each application: gradients
    of a loop are put under names that derive from those of its functions.
    """
    if not graph_def.library.function:
        return graph_def
    names = {f.signature.name: f.signature.name + suffix for f in graph_def.library.function}
    renamed = tf.compat.v1.GraphDef()
    renamed.CopyFrom(graph_def)
    _rename_calls(renamed.node, names)
    for function in renamed.library.function:
        function.signature.name = names[function.signature.name]
        _rename_calls(function.node_def, names)
        _rename_values(function.attr.values(), names)
    for gradient in renamed.library.gradient:
        gradient.function_name = names.get(gradient.function_name, gradient.function_name)
        gradient.gradient_func = names.get(gradient.gradient_func, gradient.gradient_func)
    return renamed


def _calls_of_functions(library: function_pb2.FunctionDefLibrary) -> dict[str, set[str]]:
    """For each function of a library the functions of the library that it names."""
    calls: dict[str, set[str]] = {f.signature.name: set() for f in library.function}
    for function in library.function:
        called = calls[function.signature.name]
        called.update(_called(function.node_def, calls))
        called.update(_named_in(function.attr.values(), calls))
    for gradient in library.gradient:
        if gradient.gradient_func in calls:
            calls.setdefault(gradient.function_name, set()).add(gradient.gradient_func)
    return calls


def _reachable(roots: Iterable[str], calls: Mapping[str, Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    pending = list(roots)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending.extend(calls[name])
    return reached


def _called(nodes: Iterable[tf.compat.v1.NodeDef], functions: Container[str]) -> Iterator[str]:
    for node in nodes:
        if node.op in functions:
            yield node.op
        yield from _named_in(node.attr.values(), functions)


def _named_in(
    values: Iterable[attr_value_pb2.AttrValue], functions: Container[str]
) -> Iterator[str]:
    for value in values:
        for call in _calls(value):
            if call.name in functions:
                yield call.name
            yield from _named_in(call.attr.values(), functions)


def _calls(value: attr_value_pb2.AttrValue) -> list[attr_value_pb2.NameAttrList]:
    kind = value.WhichOneof("value")
    if kind == "func":
        return [value.func]
    return list(value.list.func) if kind == "list" else []


def _rename_calls(nodes: Iterable[tf.compat.v1.NodeDef], new_names: Mapping[str, str]) -> None:
    """Changes the nodes in place."""
    for node in nodes:
        node.op = new_names.get(node.op, node.op)
        _rename_values(node.attr.values(), new_names)


def _rename_values(
    values: Iterable[attr_value_pb2.AttrValue], new_names: Mapping[str, str]
) -> None:
    """Changes the attribute values in place."""
    for value in values:
        for call in _calls(value):
            call.name = new_names.get(call.name, call.name)
            _rename_values(call.attr.values(), new_names)

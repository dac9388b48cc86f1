"""The function library of a graph: extracts the functions that nodes need, renames them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping

import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2, function_pb2


class FunctionLibrary:
    """The functions of a graph, and the functions that each of them calls, cached.

    Args:
        library: The library of the graph. It is not changed, and must not change afterwards.
    """

    def __init__(self, library: function_pb2.FunctionDefLibrary):
        self._library = library
        self._places = {f.signature.name: place for place, f in enumerate(library.function)}
        self._gradients: dict[str, list[int]] = defaultdict(list)
        for place, gradient in enumerate(library.gradient):
            self._gradients[gradient.function_name].append(place)
        self._names = self._places.keys() | self._gradients.keys()
        self._calls: dict[str, set[str]] = {}

    def extract_needed(
        self, nodes: Iterable[tf.compat.v1.NodeDef]
    ) -> function_pb2.FunctionDefLibrary:
        """Returns the part of the library that nodes need, directly or through functions."""
        kept = function_pb2.FunctionDefLibrary()
        if not self._names:
            return kept
        needed: set[str] = set()
        pending = list(_find_called(nodes, self._names))
        while pending:
            name = pending.pop()
            if name not in needed:
                needed.add(name)
                pending.extend(self._find_called_by(name))
        places = sorted(self._places[name] for name in needed & self._places.keys())
        kept.function.extend(self._library.function[place] for place in places)
        places = sorted(
            p for name in needed & self._gradients.keys() for p in self._gradients[name]
        )
        kept.gradient.extend(self._library.gradient[place] for place in places)
        return kept

    def _find_called_by(self, name: str) -> set[str]:
        """Returns the functions of the library that a function names, its gradient among them."""
        if name not in self._calls:
            called = {
                self._library.gradient[p].gradient_func for p in self._gradients.get(name, ())
            }
            called &= self._places.keys()
            if name in self._places:
                function = self._library.function[self._places[name]]
                called.update(_find_called(function.node_def, self._names))
                called.update(_find_named(function.attr.values(), self._names))
            self._calls[name] = called
        return self._calls[name]


def rename_functions(graph_def: tf.compat.v1.GraphDef, suffix: str) -> tf.compat.v1.GraphDef:
    """Adds a suffix to the name of each function.

    Returns a new GraphDef, or the same if it has no functions.

    Functions have one namespace per graph, and TensorFlow names them by counters
    ("while_body_12"), so modules of two programs often have different functions of one name.
    Even one module needs new names for each application, because TensorFlow derives the
    names of the gradients of a loop from those of its functions.
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


def _find_called(nodes: Iterable[tf.compat.v1.NodeDef], functions: Container[str]) -> Iterator[str]:
    for node in nodes:
        if node.op in functions:
            yield node.op
        yield from _find_named(node.attr.values(), functions)


def _find_named(
    values: Iterable[attr_value_pb2.AttrValue], functions: Container[str]
) -> Iterator[str]:
    for value in values:
        for call in list_calls(value):
            if call.name in functions:
                yield call.name
            yield from _find_named(call.attr.values(), functions)


def list_calls(value: attr_value_pb2.AttrValue) -> list[attr_value_pb2.NameAttrList]:
    """Returns the functions that an attribute names."""
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
        for call in list_calls(value):
            call.name = new_names.get(call.name, call.name)
            _rename_values(call.attr.values(), new_names)

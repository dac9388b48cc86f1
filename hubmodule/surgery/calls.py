"""Checks calls of functions, because TensorFlow does not, and a wrong one crashes the process."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import tensorflow as tf
from tensorflow.core.framework import function_pb2, op_def_pb2

from hubmodule import _tf
from hubmodule.errors import ModuleFormatError
from hubmodule.surgery.functions import list_calls

# For each op that TensorFlow may replace by the function that it calls: the attributes with the
# types of its inputs and of its outputs, which must be those of the function.
_TYPES = {
    **dict.fromkeys(["StatelessWhile", "While"], ("T", "T")),
    **dict.fromkeys(["Case", "If", "StatelessCase", "StatelessIf"], ("Tin", "Tout")),
    **dict.fromkeys(["PartitionedCall", "StatefulPartitionedCall"], ("Tin", "Tout")),
}
# The condition of a loop has one output, a truth value.
_CONDITION = "cond"
# Marks conditionals and loops that TensorFlow replaces by the bodies of their functions.
_EXPANDED = "_lower_using_switch_merge"


def check_calls(graph_def: tf.compat.v1.GraphDef, op_types: Collection[str]) -> None:
    """Checks that the functions that a graph calls exist, and can be expanded.

    TensorFlow crashes with a segmentation fault at a loop whose body is missing, has other
    arguments, or is the function that contains the loop.

    Args:
        graph_def: The graph, with its functions.
        op_types: The types of all ops of the graph and of its functions.

    Raises:
        ModuleFormatError: If a function is missing, has other argument or result types than
            its caller, or would be expanded without end.
    """
    callers = {op for op in op_types if _tf.has_function_attributes(op)}
    if not callers:
        return
    functions = {function.signature.name: function for function in graph_def.library.function}
    expanded: dict[str, set[str]] = {}
    for place, nodes in [("", graph_def.node), *((n, f.node_def) for n, f in functions.items())]:
        for node in nodes:
            if node.op in callers:
                called = set(_find_called(node))
                _check_present(node, place, called, functions)
                if all(name in node.attr for name in _TYPES.get(node.op, ("",))):
                    _check_types(node, place, functions)
                if _EXPANDED in node.attr and node.attr[_EXPANDED].b:
                    expanded.setdefault(place, set()).update(called)
    _check_ends(expanded)


def _find_called(node: tf.compat.v1.NodeDef) -> Iterator[str]:
    for value in node.attr.values():
        for call in list_calls(value):
            yield call.name


def _check_types(
    node: tf.compat.v1.NodeDef, place: str, functions: Mapping[str, function_pb2.FunctionDef]
) -> None:
    takes, gives = (list(node.attr[name].list.type) for name in _TYPES[node.op])
    for key, value in node.attr.items():
        for call in list_calls(value):
            if (function := functions.get(call.name)) is None:
                continue
            signature = function.signature
            fits = _is_of_types(signature.input_arg, takes)
            if key == _CONDITION:
                fits = fits and len(signature.output_arg) == 1
            else:
                fits = fits and _is_of_types(signature.output_arg, gives)
            if not fits:
                raise ModuleFormatError(
                    f"{_describe(node, place)} calls function '{call.name}' with other argument "
                    "or result types than it has. Fetch the module again."
                )


def _is_of_types(arguments: Sequence[op_def_pb2.OpDef.ArgDef], types: Sequence[int]) -> bool:
    """Whether arguments of a function have some types; True if their types are not fixed."""
    if any(argument.number_attr or argument.type_list_attr for argument in arguments):
        return True
    return len(arguments) == len(types) and all(
        argument.type in (dtype, 0) for argument, dtype in zip(arguments, types, strict=True)
    )


def _describe(node: tf.compat.v1.NodeDef, place: str) -> str:
    where = f" in function '{place}'" if place else ""
    return f"Op '{node.name}' of type {node.op}{where}"


def _check_present(
    node: tf.compat.v1.NodeDef, place: str, called: Iterable[str], functions: Collection[str]
) -> None:
    for name in called:
        # An op can take the place of a function.
        if name not in functions and _tf.find_op_def(name) is None:
            raise ModuleFormatError(
                f"{_describe(node, place)} calls function '{name}', which is not in the module's "
                "graph. Fetch the module again."
            )


def _check_ends(calls: Mapping[str, Iterable[str]]) -> None:
    """Checks that no function is expanded within itself, directly or through others."""
    done: set[str] = set()
    for root in calls:
        path: list[str] = []
        pending = [(root, False)]
        while pending:
            name, leaving = pending.pop()
            if leaving:
                done.add(path.pop())
            elif name in path:
                raise ModuleFormatError(
                    f"The loops and conditionals of functions {path[path.index(name) :]} call each "
                    "other without end. Fetch the module again."
                )
            elif name not in done:
                path.append(name)
                pending.append((name, True))
                pending.extend((called, False) for called in calls.get(name, ()))

"""The graph of a MetaGraphDef and its functions, as a program whose parts call each other."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tensorflow.core.framework import attr_value_pb2, function_pb2, node_def_pb2, op_def_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import _tf

# Not more functions in functions' attributes than this; a damaged file may nest them deeper.
_DEEPEST_NESTING = 20
_FEW_INPUTS = 8
# In place of an attribute: the function is a parameter of the function in one.
NESTED = "(nested)"


class Tensor(NamedTuple):
    """An output of a node, as the inputs of other nodes name it.

    Attributes:
        node: The name of the node, or of an argument of the function.
        output: The name of the output; "" if the reference has none, as in a graph.
        position: The position, within the output if that is named.
    """

    node: str
    output: str
    position: int


def parse_tensor(reference: str) -> Tensor:
    """Parses "node", "node:1", and, as in functions, "node:output:1"."""
    node, _, rest = reference.partition(":")
    output, separator, index = rest.rpartition(":")
    if not separator and not rest.isdecimal():
        output, index = rest, ""
    return Tensor(node, output, int(index) if index.isdecimal() and len(index) < 10 else 0)


@dataclass(frozen=True)
class Call:
    """A node that runs a function.

    Attributes:
        body: The body that the node is in.
        node: The node.
        attribute: The attribute that names the function; "" if the node's op does; `NESTED` if
            the function that the node calls gets it as a parameter.
    """

    body: Body
    node: node_def_pb2.NodeDef
    attribute: str


class Body:
    """The nodes of a graph, or of one of its functions.

    Args:
        function: The name of the function; "" for the graph itself.
        nodes: Its nodes.
        arguments: The names of the arguments of the function.
        returns: The names of its results -> the references to the tensors that they are.
        has_lists: Whether arguments or results are lists of tensors, so that the tensors have
            other positions than these.
    """

    def __init__(
        self,
        function: str,
        nodes: list[node_def_pb2.NodeDef],
        arguments: list[str],
        returns: dict[str, str],
        has_lists: bool = False,
    ):
        self.function = function
        self.nodes = nodes
        self.arguments = {name: index for index, name in enumerate(arguments)}
        self.returns = returns
        self.results = list(returns.values())
        self.has_lists = has_lists
        # Of nodes with many inputs, which may have many outputs that are looked at one by one.
        self._data_inputs: dict[str, list[str]] = {}
        self._input_groups: dict[str, dict[str, list[str]]] = {}

    @functools.cached_property
    def by_name(self) -> dict[str, node_def_pb2.NodeDef]:
        """The nodes by name."""
        return {node.name: node for node in self.nodes}

    def list_inputs(self, node: node_def_pb2.NodeDef) -> list[str]:
        """The inputs of a node without the control inputs."""
        if node.name in self._data_inputs:
            return self._data_inputs[node.name]
        found = [reference for reference in node.input if not reference.startswith("^")]
        if len(found) > _FEW_INPUTS:
            self._data_inputs[node.name] = found
        return found

    def group_inputs(self, node: node_def_pb2.NodeDef) -> dict[str, list[str]]:
        """The inputs of a node by the names that its op gives them; {} if the op is unknown."""
        if node.name in self._input_groups:
            return self._input_groups[node.name]
        references = self.list_inputs(node)
        groups = _name_inputs(node, references)
        if len(references) > _FEW_INPUTS:
            self._input_groups[node.name] = groups
        return groups


class Program:
    """A MetaGraphDef as the bodies that it consists of.

    Args:
        meta_graph: The graph variant.
    """

    def __init__(self, meta_graph: MetaGraphDef):
        graph_def = meta_graph.graph_def
        self.meta_graph = meta_graph
        self.graph = Body("", list(graph_def.node), [], {})
        self.functions = {f.signature.name: _make_body(f) for f in graph_def.library.function}

    @property
    def bodies(self) -> Iterator[Body]:
        """The graph, then the functions."""
        yield self.graph
        yield from self.functions.values()

    @functools.cached_property
    def calls(self) -> dict[str, list[Call]]:
        """The calls of each function, by its name."""
        calls: dict[str, list[Call]] = {name: [] for name in self.functions}
        for body in self.bodies if self.functions else ():
            for node in body.nodes:
                for attribute, function in self.find_called(node):
                    calls[function].append(Call(body, node, attribute))
        for gradient in self.meta_graph.graph_def.library.gradient:
            # What calls a function may run its gradient.
            if gradient.gradient_func in calls and gradient.function_name in calls:
                calls[gradient.gradient_func] += [
                    Call(call.body, call.node, NESTED) for call in calls[gradient.function_name]
                ]
        return calls

    def find_called(self, node: node_def_pb2.NodeDef) -> list[tuple[str, str]]:
        """The functions that a node runs: pairs of the attribute, as of a `Call`, and the name."""
        is_call = node.op in self.functions
        found = [("", node.op)] if is_call else []
        if is_call or _may_call(node.op):
            for attribute, value in sorted(node.attr.items()):
                for name, is_nested in find_functions(value):
                    if name in self.functions:
                        found.append((NESTED if is_nested or is_call else attribute, name))
        return found


def find_functions(value: attr_value_pb2.AttrValue, depth: int = 0) -> Iterator[tuple[str, bool]]:
    """Yields the functions that an attribute holds, and whether they are parameters of others."""
    kind = value.WhichOneof("value")
    if kind == "func":
        calls = [value.func]
    elif kind == "list":
        calls = list(value.list.func)
    else:
        return
    for call in calls:
        yield call.name, depth > 0
        if depth < _DEEPEST_NESTING:
            for inner in call.attr.values():
                yield from find_functions(inner, depth + 1)


def _name_inputs(node: node_def_pb2.NodeDef, references: list[str]) -> dict[str, list[str]]:
    """References to inputs by the names that the op of a node gives them."""
    op_def = _tf.op_def(node.op)
    groups, start = {}, 0
    for input_arg in op_def.input_arg if op_def else ():
        end = start + _count_tensors(input_arg, node)
        groups[input_arg.name] = references[start:end]
        start = end
    return groups


def _count_tensors(input_arg: op_def_pb2.OpDef.ArgDef, node: node_def_pb2.NodeDef) -> int:
    """How many tensors an input takes."""
    if input_arg.number_attr:
        return (
            max(0, node.attr[input_arg.number_attr].i) if input_arg.number_attr in node.attr else 0
        )
    if input_arg.type_list_attr:
        attribute = input_arg.type_list_attr
        return len(node.attr[attribute].list.type) if attribute in node.attr else 0
    return 1


@functools.cache
def _may_call(op: str) -> bool:
    """Whether an op has attributes that hold functions; an unknown one may."""
    op_def = _tf.op_def(op)
    return op_def is None or any(attr.type in ("func", "list(func)") for attr in op_def.attr)


def _make_body(function: function_pb2.FunctionDef) -> Body:
    signature = function.signature
    return Body(
        signature.name,
        list(function.node_def),
        [argument.name for argument in signature.input_arg],
        {result.name: function.ret.get(result.name, "") for result in signature.output_arg},
        any(
            argument.number_attr or argument.type_list_attr
            for argument in (*signature.input_arg, *signature.output_arg)
        ),
    )

"""The graph of a MetaGraphDef and its functions, as a program whose functions call each other."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tensorflow.core.framework import attr_value_pb2, function_pb2, node_def_pb2, op_def_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import _tf

# Functions are followed this deep in the attributes of functions; a damaged file may nest deeper.
_DEEPEST_NESTING = 20
_FEW_INPUTS = 8
# Stands for the attribute of a call whose function is a parameter of another function.
NESTED = "(nested)"
# The attribute of a function that states its interface.
_INTERFACE = "api_implements"


class Tensor(NamedTuple):
    """An output of a node, as the inputs of other nodes refer to it.

    Attributes:
        node: The name of the node, or of an argument of the function.
        output: The name of the output; "" if the reference does not name it, as in a graph.
        position: The index of the tensor: in the named output, otherwise among all outputs.
    """

    node: str
    output: str
    position: int


def parse_tensor(reference: str) -> Tensor:
    """Parses a reference: "node", "node:1" or, in functions, "node:output:1"."""
    node, _, rest = reference.partition(":")
    output, separator, index = rest.rpartition(":")
    if not separator and not rest.isdecimal():
        output, index = rest, ""
    return Tensor(node, output, int(index) if index.isdecimal() and len(index) < 10 else 0)


@dataclass(frozen=True)
class Call:
    """A node that runs a function.

    Attributes:
        body: The body that contains the node.
        node: The node.
        attribute: The attribute that names the function; "" if the node's op is the function;
            `NESTED` if the function is a parameter of the function that the node calls.
    """

    body: Body
    node: node_def_pb2.NodeDef
    attribute: str


class Body:
    """The nodes of a graph, or of one of its functions.

    Args:
        function: The name of the function; "" for the graph itself.
        nodes: The nodes of the body.
        arguments: The names of the arguments of the function, in order.
        returns: The names of the results -> references to the tensors that they return.
        has_lists: Whether arguments or results may be lists of tensors, so that the positions of
            tensors differ from those of arguments and results.
    """

    def __init__(
        self,
        function: str,
        nodes: Sequence[node_def_pb2.NodeDef],
        arguments: list[str],
        returns: dict[str, str],
        has_lists: bool = False,
    ):
        self.function = function
        self._stored = nodes
        self.arguments = {name: index for index, name in enumerate(arguments)}
        self.returns = returns
        self.results = list(returns.values())
        self.has_lists = has_lists
        # Caches for nodes with many inputs: tracing asks for them again for each output.
        self._data_inputs: dict[str, list[str]] = {}
        self._input_groups: dict[str, dict[str, list[str]]] = {}

    @property
    def size(self) -> int:
        """The number of nodes."""
        return len(self._stored)

    @functools.cached_property
    def nodes(self) -> list[node_def_pb2.NodeDef]:
        """The nodes. An object for each takes nearly as long as parsing them."""
        return list(self._stored)

    def list_ops(self) -> list[str]:
        """Lists the op types of the nodes, without keeping an object for each node."""
        return [node.op for node in self._stored]

    @property
    def title(self) -> str:
        """A phrase that names the body."""
        return f"function '{self.function}'" if self.function else "the graph"

    @functools.cached_property
    def by_name(self) -> dict[str, node_def_pb2.NodeDef]:
        """The nodes by name."""
        return {node.name: node for node in self.nodes}

    def list_data_inputs(self, node: node_def_pb2.NodeDef) -> list[str]:
        """Lists the inputs of a node without the control inputs."""
        if node.name in self._data_inputs:
            return self._data_inputs[node.name]
        found = [reference for reference in node.input if not reference.startswith("^")]
        if len(found) > _FEW_INPUTS:
            self._data_inputs[node.name] = found
        return found

    def group_inputs(self, node: node_def_pb2.NodeDef) -> dict[str, list[str]]:
        """Groups data inputs by the names of the op's inputs; {} if the op is not registered."""
        if node.name in self._input_groups:
            return self._input_groups[node.name]
        references = self.list_data_inputs(node)
        groups = _name_inputs(node, references)
        if len(references) > _FEW_INPUTS:
            self._input_groups[node.name] = groups
        return groups


class Program:
    """The bodies of a MetaGraphDef, and the calls between them.

    Args:
        meta_graph: The graph variant.
    """

    def __init__(self, meta_graph: MetaGraphDef):
        graph_def = meta_graph.graph_def
        self.meta_graph = meta_graph
        self.graph = Body("", graph_def.node, [], {})
        library = graph_def.library
        self.functions = {f.signature.name: _make_body(f) for f in library.function}
        # TF2 calls these with tensors of its own.
        self.gradients = frozenset(g.gradient_func for g in library.registered_gradients)
        self._equivalents = _group_equivalents(library.function)

    @property
    def bodies(self) -> Iterator[Body]:
        """The graph, then the functions."""
        yield self.graph
        yield from self.functions.values()

    @functools.cached_property
    def calls(self) -> dict[str, list[Call]]:
        """The calls of each function, by the name of the function."""
        calls: dict[str, list[Call]] = {name: [] for name in self.functions}
        for body in self.bodies if self.functions else ():
            for node in body.nodes:
                for attribute, function in self.find_called_functions(node):
                    calls[function].append(Call(body, node, attribute))
        for gradient in self.meta_graph.graph_def.library.gradient:
            # A node that calls a function may run its gradient.
            if gradient.gradient_func in calls and gradient.function_name in calls:
                calls[gradient.gradient_func] += [
                    Call(call.body, call.node, NESTED) for call in calls[gradient.function_name]
                ]
        return calls

    def find_called_functions(self, node: node_def_pb2.NodeDef) -> list[tuple[str, str]]:
        """Lists the functions that a node runs: the attribute (see `Call`) and the name of each."""
        is_call = node.op in self.functions
        found = [("", node.op)] if is_call else []
        if is_call or _has_functions(node.op):
            for attribute, value in sorted(node.attr.items()):
                for name, is_nested in find_functions(value):
                    if name in self.functions:
                        found.append((NESTED if is_nested or is_call else attribute, name))
        if not self._equivalents:
            return found
        return [
            (attribute, other)
            for attribute, name in found
            for other in self._equivalents.get(name, (name,))
        ]


def _group_equivalents(functions: Iterable[function_pb2.FunctionDef]) -> dict[str, list[str]]:
    """Groups functions that TensorFlow may run instead of each other.

    Its optimiser replaces a call of a function with a call of another one that states the same
    interface, for example to prefer the one for the device of the call.

    Args:
        functions: The functions of a graph.

    Returns:
        The name of each function that states an interface -> all functions that state the same.
    """
    groups: dict[bytes, list[str]] = {}
    for function in functions:
        if _INTERFACE in function.attr:
            groups.setdefault(function.attr[_INTERFACE].s, []).append(function.signature.name)
    return {name: group for group in groups.values() for name in group}


def find_functions(value: attr_value_pb2.AttrValue, depth: int = 0) -> Iterator[tuple[str, bool]]:
    """Finds the functions that an attribute holds.

    Args:
        value: The attribute.
        depth: How many functions this attribute is nested in.

    Yields:
        The name of a function, and whether it is a parameter of another function.
    """
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
    """Groups references to inputs by the names of the inputs of the node's op."""
    op_def = _tf.find_op_def(node.op)
    groups, start = {}, 0
    for input_arg in op_def.input_arg if op_def else ():
        end = start + _count_tensors(input_arg, node)
        groups[input_arg.name] = references[start:end]
        start = end
    return groups


def _count_tensors(input_arg: op_def_pb2.OpDef.ArgDef, node: node_def_pb2.NodeDef) -> int:
    """Counts the tensors that an input of an op takes at a node."""
    if input_arg.number_attr:
        return (
            max(0, node.attr[input_arg.number_attr].i) if input_arg.number_attr in node.attr else 0
        )
    if input_arg.type_list_attr:
        attribute = input_arg.type_list_attr
        return len(node.attr[attribute].list.type) if attribute in node.attr else 0
    return 1


@functools.cache
def _has_functions(op: str) -> bool:
    """Whether attributes of an op may hold functions; those of an unregistered op may."""
    op_def = _tf.find_op_def(op)
    return op_def is None or any(attr.type in ("func", "list(func)") for attr in op_def.attr)


def _make_body(function: function_pb2.FunctionDef) -> Body:
    signature = function.signature
    return Body(
        signature.name,
        function.node_def,
        [argument.name for argument in signature.input_arg],
        {result.name: function.ret.get(result.name, "") for result in signature.output_arg},
        any(
            argument.number_attr or argument.type_list_attr
            for argument in (*signature.input_arg, *signature.output_arg)
        ),
    )

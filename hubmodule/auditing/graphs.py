"""The graph of a MetaGraphDef and its functions, as a program whose parts call each other."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from tensorflow.core.framework import attr_value_pb2, function_pb2, node_def_pb2, op_def_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import _tf

# Not more functions in functions' attributes than this; a damaged file may nest them deeper.
_DEEPEST_NESTING = 20


@dataclass(frozen=True)
class Tensor:
    """An output of a node, as the inputs of other nodes name it.

    Attributes:
        node: The name of the node, or of an argument of the function.
        output: The name of the output; "" if the reference has none, as in a graph.
        index: The index, within the output if that is named.
    """

    node: str
    output: str
    index: int


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
        attribute: The attribute that names the function; "" if the node's op does.
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
    """

    def __init__(
        self,
        function: str,
        nodes: list[node_def_pb2.NodeDef],
        arguments: list[str],
        returns: dict[str, str],
    ):
        self.function = function
        self.nodes = nodes
        self.arguments = {name: index for index, name in enumerate(arguments)}
        self.returns = returns

    @functools.cached_property
    def by_name(self) -> dict[str, node_def_pb2.NodeDef]:
        """The nodes by name."""
        return {node.name: node for node in self.nodes}


class Program:
    """A MetaGraphDef as the bodies that it consists of.

    Args:
        meta_graph: The graph variant.
    """

    def __init__(self, meta_graph: MetaGraphDef):
        graph_def = meta_graph.graph_def
        self.meta_graph = meta_graph
        self.graph = Body("", list(graph_def.node), [], {})
        self.functions = {f.signature.name: _body(f) for f in graph_def.library.function}

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
                for attribute, function in self.called_by(node):
                    calls[function].append(Call(body, node, attribute))
        for gradient in self.meta_graph.graph_def.library.gradient:
            # What calls a function may run its gradient.
            if gradient.gradient_func in calls and gradient.function_name in calls:
                calls[gradient.gradient_func] += calls[gradient.function_name]
        return calls

    def called_by(self, node: node_def_pb2.NodeDef) -> list[tuple[str, str]]:
        """The functions that a node runs: pairs of the attribute ("": the op) and the name."""
        found = [("", node.op)] if node.op in self.functions else []
        if found or _may_call(node.op):
            for attribute, value in sorted(node.attr.items()):
                names = functions_in(value)
                found += [(attribute, name) for name in names if name in self.functions]
        return found


def functions_in(value: attr_value_pb2.AttrValue, depth: int = 0) -> Iterator[str]:
    """Yields the names of the functions that an attribute holds."""
    kind = value.WhichOneof("value")
    if kind == "func":
        calls = [value.func]
    elif kind == "list":
        calls = list(value.list.func)
    else:
        return
    for call in calls:
        yield call.name
        if depth < _DEEPEST_NESTING:
            for inner in call.attr.values():
                yield from functions_in(inner, depth + 1)


def data_inputs(node: node_def_pb2.NodeDef) -> list[str]:
    """The inputs of a node without the control inputs."""
    return [reference for reference in node.input if not reference.startswith("^")]


def input_groups(node: node_def_pb2.NodeDef) -> dict[str, list[str]]:
    """The inputs of a node by the names that its op gives them; {} if the op is unknown."""
    op_def = _tf.op_def(node.op)
    if op_def is None:
        return {}
    references = data_inputs(node)
    groups, start = {}, 0
    for input_arg in op_def.input_arg:
        end = start + _length(input_arg, node)
        groups[input_arg.name] = references[start:end]
        start = end
    return groups


def input_lists(node: node_def_pb2.NodeDef) -> list[list[str]]:
    """The inputs of a node that are lists of tensors, as `input_groups`."""
    op_def = _tf.op_def(node.op)
    groups = input_groups(node)
    return [
        groups[input_arg.name]
        for input_arg in (op_def.input_arg if op_def else ())
        if input_arg.number_attr or input_arg.type_list_attr
    ]


def _length(input_arg: op_def_pb2.OpDef.ArgDef, node: node_def_pb2.NodeDef) -> int:
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


def _body(function: function_pb2.FunctionDef) -> Body:
    return Body(
        function.signature.name,
        list(function.node_def),
        [argument.name for argument in function.signature.input_arg],
        {
            result.name: function.ret.get(result.name, "")
            for result in function.signature.output_arg
        },
    )

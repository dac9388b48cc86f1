"""Graphs that read files, and the names of these files that an audit finds."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.core.framework import function_pb2

from hubmodule.auditing.names import Name, Source
from tests.auditing.protos import (
    MetaGraphDef,
    NodeDef,
    audit_of,
    function,
    meta_graph,
    node,
)

PASSWD = Name(Source.CONSTANT, "/etc/passwd")
READ = node("read", "ReadFile", "name")
CALL = {"Tin": [tf.string], "Tout": [tf.string], "f": "@f"}
ELEMENTS = {"output_types": [tf.string], "output_shapes": [tf.TensorShape([])]}


def graph_of(*nodes: NodeDef, **arguments: Any) -> MetaGraphDef:
    """A graph that reads the file "name", or what a node "read" of its own reads."""
    reads = [] if any(n.name == "read" for n in nodes) else [READ]
    inputs = {"x": "x:0"} if any(n.name == "x" for n in nodes) else {}
    return meta_graph([*nodes, *reads], inputs, {"default": "read:0"}, **arguments)


def names(*nodes: NodeDef, **arguments: Any) -> set[Name]:
    """The names in the findings of such a graph."""
    return list_names(graph_of(*nodes, **arguments))


def list_names(graph: MetaGraphDef) -> set[Name]:
    """The names in the findings of a graph."""
    return {name for finding in audit_of(graph).findings for name in finding.names}


def in_function(*nodes: NodeDef) -> function_pb2.FunctionDef:
    """A function f that reads the file "name", or that its argument "argument" names."""
    read = node("read", "ReadFile", "name:output:0" if nodes else "argument")
    return function("f", {"argument": tf.string}, [*nodes, read], {"y": "argument"})


def dataset(elements: str = "elements") -> NodeDef:
    """A dataset "source" of the elements of a tensor."""
    return node(
        "source",
        "TensorSliceDataset",
        elements,
        Toutput_types=[tf.string],
        output_shapes=[tf.TensorShape([])],
    )

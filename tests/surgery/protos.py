"""Tiny graphs as text."""

from __future__ import annotations

import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework.function_pb2 import FunctionDefLibrary
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef


def node_def(text: str) -> tf.compat.v1.NodeDef:
    """A node."""
    return text_format.Parse(text, tf.compat.v1.NodeDef())


def graph_def(text: str) -> tf.compat.v1.GraphDef:
    """A graph, as this TensorFlow writes it."""
    graph = text_format.Parse(text, tf.compat.v1.GraphDef())
    if not graph.HasField("versions"):
        graph.versions.CopyFrom(tf.Graph().as_graph_def().versions)
    return graph


def meta_graph(text: str) -> MetaGraphDef:
    """A MetaGraph."""
    return text_format.Parse(text, MetaGraphDef())


def library(text: str) -> FunctionDefLibrary:
    """The functions of a graph."""
    return text_format.Parse(text, FunctionDefLibrary())


def variable_def(text: str) -> VariableDef:
    """What a collection says of a variable."""
    return text_format.Parse(text, VariableDef())


def chain(*wiring: str) -> tf.compat.v1.GraphDef:
    """A graph of ops without a meaning: "c: a b:1 ^d" is op c with these inputs."""
    graph = tf.compat.v1.GraphDef()
    for text in wiring:
        name, _, inputs = text.partition(":")
        graph.node.add(name=name.strip(), op="NoOp", input=inputs.split())
    return graph


def nodes_of(graph: tf.compat.v1.GraphDef) -> dict[str, tf.compat.v1.NodeDef]:
    """The nodes of a graph by name."""
    return {node.name: node for node in graph.node}

"""Tables, and other resources of a graph, as objects that a SavedModel can contain."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.surgery.graph_versions import make_graph_def


class Table(tf.saved_model.experimental.TrackableResource):
    """A table, or another resource that an op without inputs makes.

    Args:
        node: The node of the op in the module.
    """

    def __init__(self, node: tf.compat.v1.NodeDef):
        super().__init__()
        self._graph_def = make_graph_def()
        self._graph_def.node.append(node)
        self._name = node.name
        if "shared_name" in _tf.list_op_attributes(node.op):
            # Two modules, or a module that is loaded twice, must not share a table by its name.
            name = node.attr["shared_name"].s.decode() or node.name
            unique = f"{name}_{uuid.uuid4().hex}".encode()
            self._graph_def.node[0].attr["shared_name"].s = unique
        self._add_initialisers: Sequence[Callable[[], None]] = ()

    def set_initialisers(self, functions: Sequence[Callable[[], None]]) -> None:
        """Sets the functions that fill the table.

        Args:
            functions: Functions without arguments that add ops to the function under
                construction.
        """
        self._add_initialisers = functions

    def _create_resource(self) -> tf.Tensor:
        if tf.executing_eagerly():
            return _run_as_graph(self._import_op)
        return self._import_op()

    def _import_op(self) -> tf.Tensor:
        """Adds the op to the default graph, and returns the handle of the resource."""
        graph = tf.compat.v1.get_default_graph()
        with graph.name_scope("table") as scope:
            graph_def = tf.compat.v1.GraphDef()
            graph_def.CopyFrom(self._graph_def)
            graph_def.node[0].name = scope + self._name
            _tf.import_graph_def(graph_def, {})
        return graph.get_tensor_by_name(f"{scope}{self._name}:0")

    def _initialize(self) -> None:
        # Initialisers add ops to a graph, so they run in a function.
        if tf.executing_eagerly():
            fill([self])
            return
        for add in self._add_initialisers:
            add()

    def _destroy_resource(self) -> None:
        tf.raw_ops.DestroyResourceOp(resource=self.resource_handle, ignore_lookup_error=True)


def make_resources(tables: Sequence[Table]) -> None:
    """Makes the resources of tables in one function.

    To trace a function for each table would take ten times as long.
    """
    if not tf.executing_eagerly():
        for table in tables:
            _ = table.resource_handle
        return
    handles = _run_as_graph(lambda: [table._import_op() for table in tables])
    for table, handle in zip(tables, handles, strict=True):
        table._resource_handle = handle


def fill(tables: Sequence[Table]) -> None:
    """Fills tables in one function.

    In a tf.Graph, the program fills them when it runs the table initialisers of the graph.

    Args:
        tables: Tables whose resources make_resources() made.
    """

    def run_initialisers() -> tf.Tensor:
        for table in tables:
            table._initialize()
        return tf.constant(True)

    if not any(table._add_initialisers for table in tables):
        return
    filled = _run_as_graph(run_initialisers)
    if not tf.executing_eagerly():
        graph = tf.compat.v1.get_default_graph()
        graph.add_to_collection(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS, filled.op)


def _run_as_graph(python_function: Callable[[], Any]) -> Any:
    """Traces a function without arguments, and runs it."""
    # TensorFlow considers the methods of all tables one function, and warns if it is traced often.
    return tf.function(functools.partial(python_function), autograph=False)()

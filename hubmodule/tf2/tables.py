"""Tables, and other resources that a graph makes, as objects that a SavedModel can hold."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Sequence

import tensorflow as tf

from hubmodule import _tf
from hubmodule.surgery.graph_versions import new_graph_def


class Table(tf.saved_model.experimental.TrackableResource):
    """A resource that is made by an op without inputs.

    Args:
        node: the op.
    """

    def __init__(self, node: tf.compat.v1.NodeDef):
        super().__init__()
        self._graph_def = new_graph_def()
        self._graph_def.node.append(node)
        self._name = node.name
        if "shared_name" in _tf.op_attributes(node.op):
            # Two modules, or one loaded twice, must not share a table by its name.
            name = node.attr["shared_name"].s.decode() or node.name
            unique = f"{name}_{uuid.uuid4().hex}".encode()
            self._graph_def.node[0].attr["shared_name"].s = unique
        self._add_initialisers: Sequence[Callable[[], None]] = ()

    def set_initialisers(self, functions: Sequence[Callable[[], None]]) -> None:
        """Sets what fills it: functions that add ops to the function under construction."""
        self._add_initialisers = functions

    def initialise(self) -> None:
        """Fills it now or, in a tf.Graph, with the other tables of the graph."""
        # Made by whoever fills it in a function, the handle would be that function's.
        _ = self.resource_handle
        if not self._add_initialisers:
            return
        if tf.executing_eagerly():
            self._initialize()
            return
        graph = tf.compat.v1.get_default_graph()
        filled = _traced(self._filled)
        graph.add_to_collection(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS, filled.op)

    def _filled(self) -> tf.Tensor:
        self._initialize()
        return tf.constant(True)

    def _create_resource(self) -> tf.Tensor:
        if tf.executing_eagerly():
            return _traced(self._imported)
        return self._imported()

    def _imported(self) -> tf.Tensor:
        graph = tf.compat.v1.get_default_graph()
        with graph.name_scope("table") as scope:
            graph_def = tf.compat.v1.GraphDef()
            graph_def.CopyFrom(self._graph_def)
            graph_def.node[0].name = scope + self._name
            _tf.import_graph_def(graph_def, {})
        return graph.get_tensor_by_name(f"{scope}{self._name}:0")

    def _initialize(self) -> None:
        # Called as it is, TensorFlow's tracing would run what is in eager mode only.
        if tf.executing_eagerly():
            _traced(self._filled)
            return
        for add in self._add_initialisers:
            add()

    def _destroy_resource(self) -> None:
        tf.raw_ops.DestroyResourceOp(resource=self.resource_handle, ignore_lookup_error=True)


def _traced(python_function: Callable[[], tf.Tensor]) -> tf.Tensor:
    """Runs a function as a graph."""
    # To TensorFlow, methods of many tables are one function, of whose tracing it would warn.
    return tf.function(functools.partial(python_function), autograph=False)()

"""TensorFlow's private parts that the package needs, and what differs between its versions.

Nothing else in the package imports `tensorflow.python`. Each function says why
the public API does not do, and when the function can go.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import op_def_pb2
from tensorflow.core.protobuf import struct_pb2
from tensorflow.python.feature_column import feature_column as feature_column_v1
from tensorflow.python.framework import importer, op_def_registry, ops
from tensorflow.python.saved_model import nested_structure_coder

# What a class must be for DenseFeatures and for tf.compat.v1.feature_column.input_layer to take
# it as a dense column. The second has no public name; it can go when TensorFlow drops the
# columns of TF1.
DENSE_COLUMN_BASES = (tf.__internal__.feature_column.DenseColumn, feature_column_v1._DenseColumn)

_FuncGraph = tf.__internal__.FuncGraph


def import_graph_def(graph_def: tf.compat.v1.GraphDef, input_map: Mapping[str, tf.Tensor]) -> None:
    """Imports a GraphDef with absolute names into the default graph.

    Unlike tf.import_graph_def, it lets ops be colocated with ops that are in the
    graph already. It adds default attributes to `graph_def` in place. Can go
    when the public function takes `validate_colocation_constraints`.

    Raises:
        ValueError: if TensorFlow refuses the graph.
    """
    importer._import_graph_def_internal(
        graph_def, input_map=dict(input_map), name="", validate_colocation_constraints=False
    )


def op_def(name: str) -> op_def_pb2.OpDef | None:
    """The registered OpDef of an op type, or None. There is no public registry of ops."""
    return op_def_registry.get(name)


def variable_from_proto(variable_def: Any) -> tf.compat.v1.Variable:
    """The variable of the default graph that a VariableDef describes.

    tf.compat.v1.Variable.from_proto makes ref variables only; the function that
    the collections are restored with looks at `is_resource`.
    """
    variable = ops.get_from_proto_function(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES)(variable_def)
    # Optimizers of Keras 2 ask under which strategy a variable was made; it forgets to say.
    if not hasattr(variable, "_distribute_strategy"):
        strategy = tf.distribute.get_strategy() if tf.distribute.has_strategy() else None
        variable._distribute_strategy = strategy
    return variable


def restore_control_flow_context(key: str, context_def: Any) -> Any:
    """Makes the v1 control flow context that a WhileContextDef or CondContextDef describes.

    Its ops must be in the default graph; they are put into the context. Outside of
    import_meta_graph there is no public way to do this.
    """
    return ops.get_from_proto_function(key)(context_def)


def type_spec_from_proto(proto: Any) -> tf.TypeSpec:
    """Decodes a TypeSpecProto, as in TensorInfo.composite_tensor.

    Raises:
        ValueError: if the type is not known to this TensorFlow.
    """
    value = struct_pb2.StructuredValue(type_spec_value=proto)
    return nested_structure_coder.decode_proto(value)


def type_spec_to_proto(type_spec: tf.TypeSpec) -> Any:
    """Encodes a TypeSpec; the reverse of type_spec_from_proto."""
    return nested_structure_coder.encode_structure(type_spec).type_spec_value


def is_function_graph(graph: tf.Graph) -> bool:
    """Whether a graph is the body of a function."""
    return isinstance(graph, _FuncGraph)


def is_within(graph: tf.Graph, outer: tf.Graph) -> bool:
    """Whether `graph` is `outer`, or a function graph that is nested in it."""
    while graph is not outer:
        if not is_function_graph(graph):
            return False
        graph = graph.outer_graph
    return True


def as_local(tensor: tf.Tensor, graph: tf.Graph) -> tf.Tensor:
    """The tensor as new ops of `graph` read it.

    It is captured if it belongs to an outer graph; a function takes no references, so
    of a ref variable it gets the value. Within a v1 loop or conditional it is led in:
    the context would do that after the import as well, but ops that pass a variable
    on would then have lost what is known of its value.
    """
    if tensor.graph is not graph:
        if tensor.dtype != tensor.dtype.base_dtype:
            with tensor.graph.as_default(), tf.control_dependencies(None):
                tensor = tf.identity(tensor)
        tensor = graph.capture(tensor)
    context = graph._get_control_flow_context()
    return tensor if context is None else context.AddValue(tensor)


@contextlib.contextmanager
def outside_functions() -> Iterator[None]:
    """Makes the outermost graph under construction the default one.

    Also leaves control dependencies and control flow contexts. A function that is
    traced from eager mode has no graph around it, so there its own graph is used.
    tf.init_scope would end in eager mode.
    """
    if not tf.compat.v1.executing_eagerly_outside_functions():
        with tf.init_scope():
            yield
        return
    graph = tf.compat.v1.get_default_graph()
    while is_function_graph(graph) and is_function_graph(graph.outer_graph):
        graph = graph.outer_graph
    with graph.as_default(), tf.control_dependencies(None):
        yield

"""TensorFlow's private parts that the package needs, and what differs between its versions.

Nothing else in the package imports `tensorflow.python` or uses `tf.__internal__`, but for
estimator/bridge.py. Each function says why the public API does not do and, where there may
be a public way one day, when the function can go.
"""

from __future__ import annotations

import contextlib
import inspect
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2, op_def_pb2
from tensorflow.core.protobuf import struct_pb2
from tensorflow.python.eager import wrap_function
from tensorflow.python.feature_column import feature_column as feature_column_v1
from tensorflow.python.framework import function as function_v1
from tensorflow.python.framework import importer, op_def_registry, ops
from tensorflow.python.ops import handle_data_util, resource_variable_ops
from tensorflow.python.saved_model import nested_structure_coder, save_context

# Whether Keras 2 is in TensorFlow itself; later it is the package tf_keras.
HAS_KERAS_2 = tf.__version__.startswith("2.15.")

# An eager tensor of TensorFlow 2.15, such as the handle of a variable, is freed without the dict
# of its attributes.
_LEAKS_ATTRIBUTES = tf.__version__.startswith("2.15.")

# What a class must be for DenseFeatures to take it as a dense column, and then for
# tf.compat.v1.feature_column.input_layer. The second can go when TensorFlow drops the columns
# of TF1.
DenseColumn = tf.__internal__.feature_column.DenseColumn
DENSE_COLUMN_BASES = (DenseColumn, feature_column_v1._DenseColumn)

# The graphs of tf.function, and of the functions of TF1: function.Defun, which TPU programs
# and old libraries use.
_FUNCTION_GRAPHS = (tf.__internal__.FuncGraph, function_v1._FuncGraph)

# The types of attributes that name functions.
_FUNCTIONS = ("func", "list(func)")


def is_layer_trainable(state_manager: Any) -> bool:
    """Whether the layer that keeps the state of feature columns was made to train it.

    The public way only makes variables. An Estimator's own managers always train.

    Args:
        state_manager: What `create_state` of a column is given.
    """
    return getattr(state_manager, "_trainable", True)


# An object that tf.saved_model.save and checkpoints walk through. tf.Module, the public
# one, makes `variables` and `trainable_variables` properties, which are not saved.
AutoTrackable = tf.__internal__.tracking.AutoTrackable


class SavedObject(AutoTrackable):  # type: ignore[valid-type, misc]
    """An object that learns when it is going to be saved as a SavedModel.

    There is no public hook, and to trace all functions when they are made would take
    the time that most programs, which never save, do not have to spend.
    """

    def prepare_for_saving(self) -> None:
        """Sets the attributes that only a saved object needs."""

    def _trackable_children(self, save_type: Any = "checkpoint", **kwargs: Any) -> Any:
        if save_type == "savedmodel":
            with tf.init_scope():
                self.prepare_for_saving()
        return super()._trackable_children(save_type, **kwargs)


class DefaultSignatures(wrap_function.WrappedFunction):
    """What tf.saved_model.save takes as the signatures of an object that is saved without any.

    It asks the object for one function, by the attribute `_default_save_signature`, and
    takes that for all signatures if it is a mapping. So this is a function, and a mapping.
    Can go when there is a hook that gives all.

    Args:
        function: that this one is the same as.
        signatures: gives the functions by name.
    """

    def __init__(
        self, function: wrap_function.WrappedFunction, signatures: Callable[[], Mapping[str, Any]]
    ):
        self.__dict__.update(function.__dict__)
        self._signatures_for_saving = signatures

    def items(self) -> Iterable[tuple[str, Any]]:
        """The names and functions."""
        return self._signatures_for_saving().items()


# Derived from Mapping it would have no hash, which functions need.
Mapping.register(DefaultSignatures)


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
    """The registered OpDef of an op type, or None.

    There is no public registry of ops; can go when there is one.
    """
    return op_def_registry.get(name)


def op_attributes(name: str) -> set[str]:
    """The names of the attributes of a registered op type; as `op_def`."""
    return {attr.name for attr in op_def_registry.get(name).attr}


def takes_functions(name: str) -> bool:
    """Whether a registered op type has functions as attributes; as `op_def`."""
    definition = op_def_registry.get(name)
    return definition is not None and any(a.type in _FUNCTIONS for a in definition.attr)


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

    The public tf.saved_model functions do so only as part of loading and saving.

    Raises:
        ValueError: if the type is not known to this TensorFlow.
    """
    value = struct_pb2.StructuredValue(type_spec_value=proto)
    return nested_structure_coder.decode_proto(value)


def type_spec_to_proto(type_spec: tf.TypeSpec) -> Any:
    """Encodes a TypeSpec; the reverse of type_spec_from_proto."""
    return nested_structure_coder.encode_structure(type_spec).type_spec_value


def is_function_graph(graph: tf.Graph) -> bool:
    """Whether a graph is the body of a function; its classes have no public names."""
    return isinstance(graph, _FUNCTION_GRAPHS)


def is_within(graph: tf.Graph, outer: tf.Graph) -> bool:
    """Whether `graph` is `outer`, or a function graph that is nested in it."""
    while graph is not outer:
        if not is_function_graph(graph):
            return False
        graph = graph.outer_graph
    return True


def as_local(tensor: tf.Tensor, graph: tf.Graph) -> tf.Tensor:
    """The tensor as new ops of `graph` read it; that is public for ops made in Python only.

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


def new_variable(value: tf.Tensor, name: str, **options: Any) -> tf.Variable:
    """Makes a tf.Variable, in eager mode ten times as fast as TensorFlow.

    There, each op with other attributes than any before has a kernel made, which takes
    half a millisecond, and the name of a variable is an attribute. It serves messages of
    the runtime; what a program sees is set afterwards.

    Args:
        value: the initial one.
        name: of the variable, without ":0".
        options: further arguments of tf.Variable.
    """
    if not tf.executing_eagerly() or tf.distribute.has_strategy():
        return tf.Variable(value, name=name, **options)
    variable = tf.Variable(value, **options)
    variable._handle_name = f"{name}:0"
    if _LEAKS_ATTRIBUTES:
        weakref.finalize(variable, vars(variable.handle).clear).atexit = False
    return variable


def complete_loops(graph: tf.Graph) -> None:
    """Says of the handles that v2 loops pass through what they are handles of.

    tf.while_loop does so for the loops that it makes, but nobody for those that are
    imported, and a gradient that is taken within a function asks for it. Can go when
    tf.import_graph_def does it.
    """
    for operation in graph.get_operations():
        if operation.type in ("While", "StatelessWhile"):
            for source, result in zip(operation.inputs, operation.outputs, strict=True):
                copy_handle_data(source, result)


def is_saving() -> bool:
    """Whether tf.saved_model.save is tracing functions, gradients among them, in this thread.

    Can go when gradients can be saved whatever they capture.
    """
    return save_context.in_save_context()


def copy_handle_data(source: tf.Tensor, target: tf.Tensor) -> None:
    """Says of a handle what it is a handle of, as it is known of another one.

    A tf.TensorSpec does not tell, so a wrapped function does not know it of its inputs.
    What is no handle is left alone.
    """
    if target.dtype == tf.resource:
        handle_data_util.copy_handle_data(source, target)


def note_access(variable: tf.Variable) -> None:
    """Tells the function under construction, and gradient tapes, that a variable is read.

    Reading it in the usual way does so too, but not an op that is given its handle.
    """
    resource_variable_ops.variable_accessed(variable)


def name_arguments(function: Any, specs: Mapping[str, tf.TensorSpec]) -> None:
    """Lets a wrapped function be called, and saved as a signature, with these arguments.

    tf.compat.v1.wrap_function knows positional arguments only, and the arguments of a
    tf.function are named by identifiers; inputs of modules are called "a/b" or "a$b".
    The loader of TensorFlow for TF1 SavedModels sets the same attributes.

    Args:
        function: the wrapped function.
        specs: what each argument is by its name, in the order of the function.
    """
    function._arg_keywords = list(specs)
    function._num_positional_args = 1 if len(specs) == 1 else 0
    function.graph.structured_input_signature = ((), dict(specs))


def parameters(function: Any) -> set[str]:
    """The names of the parameters of a tf.function, one off a SavedModel, or any callable."""
    spec = getattr(function, "function_spec", None) or getattr(function, "_function_spec", None)
    if spec is None:
        try:
            return set(inspect.signature(function).parameters)
        except (TypeError, ValueError):  # as of some that are written in C
            return set()
    return {*spec.fullargspec.args, *spec.fullargspec.kwonlyargs}


def override_gradients(graph: tf.Graph, names: Mapping[str, str]) -> None:
    """Lets tf.gradients use other gradient functions for the ops of a graph.

    tf.Graph.gradient_override_map does that for ops that are made, but not for ops that
    are imported.

    Args:
        graph: whose ops are changed.
        names: what the functions are registered under, by the type of the op.
    """
    for operation in graph.get_operations():
        if operation.type in names:
            name = attr_value_pb2.AttrValue(s=names[operation.type].encode())
            operation._set_attr("_gradient_op_type", name)

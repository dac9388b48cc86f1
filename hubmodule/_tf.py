"""The private parts of TensorFlow that the package uses, and differences between its versions.

No other file of the package imports `tensorflow.python` or uses `tf.__internal__`, except
estimator/bridge.py. Each function says why the public API is not enough and, if a public way
is likely, when the function can be deleted.
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
from tensorflow.python.eager.polymorphic_function import concrete_function
from tensorflow.python.feature_column import feature_column as feature_column_v1
from tensorflow.python.framework import function as function_v1
from tensorflow.python.framework import importer, op_def_registry, ops
from tensorflow.python.ops import handle_data_util, resource_variable_ops
from tensorflow.python.saved_model import (
    fingerprinting_utils,
    nested_structure_coder,
    save_context,
)

# Whether TensorFlow contains Keras 2. For later versions it is the package tf_keras.
HAS_KERAS_2 = tf.__version__.startswith("2.15.")

# TensorFlow 2.15 frees an eager tensor, such as the handle of a variable, without the dict of its
# attributes.
_LEAKS_ATTRIBUTES = tf.__version__.startswith("2.15.")

# The base classes that DenseFeatures and tf.compat.v1.feature_column.input_layer require of a
# dense column. The second can be deleted when TensorFlow drops the columns of TF1.
DenseColumn = tf.__internal__.feature_column.DenseColumn
DENSE_COLUMN_BASES = (DenseColumn, feature_column_v1._DenseColumn)

# The graphs of tf.function, and of the functions of TF1: function.Defun, which TPU programs
# and old libraries use.
_FUNCTION_GRAPHS = (tf.__internal__.FuncGraph, function_v1._FuncGraph)

# The types of attributes that name functions.
_FUNCTIONS = ("func", "list(func)")


def is_layer_trainable(state_manager: Any) -> bool:
    """Whether a layer of feature columns trains their state.

    The public methods of a state manager only make variables. An Estimator's own managers
    always train.

    Args:
        state_manager: The argument of a column's create_state().
    """
    return getattr(state_manager, "_trainable", True)


# The class of objects that tf.saved_model.save and checkpoints track. In tf.Module, the public
# class, `variables` and `trainable_variables` are properties, which are not saved.
AutoTrackable = tf.__internal__.tracking.AutoTrackable


class SavedObject(AutoTrackable):  # type: ignore[valid-type, misc]
    """An object with a method that runs before it is saved as a SavedModel.

    TensorFlow has no public hook. Tracing all functions when the object is made would take time in
    all programs, and most never save.
    """

    def prepare_for_saving(self) -> None:
        """Sets the attributes that only a SavedModel needs."""

    def _trackable_children(self, save_type: Any = "checkpoint", **kwargs: Any) -> Any:
        if save_type == "savedmodel":
            with tf.init_scope():
                self.prepare_for_saving()
        return super()._trackable_children(save_type, **kwargs)


class DefaultSignatures(concrete_function.ConcreteFunction):
    """The signatures of an object that is saved without the argument `signatures`.

    tf.saved_model.save reads one function from the object's attribute
    `_default_save_signature`. If this function is also a mapping, all its functions become
    signatures; so this class is both. It can be deleted when there is a public hook.

    Args:
        function: The function that this object is a copy of.
        signatures: A function without arguments that returns the functions by name.
    """

    def __init__(
        self,
        function: concrete_function.ConcreteFunction,
        signatures: Callable[[], Mapping[str, Any]],
    ):
        self.__dict__.update(function.__dict__)
        self._signatures_for_saving = signatures

    def items(self) -> Iterable[tuple[str, Any]]:
        """Returns pairs of a signature's name and its function."""
        return self._signatures_for_saving().items()


# A subclass of Mapping would not be hashable, as functions must be.
Mapping.register(DefaultSignatures)


def import_graph_def(graph_def: tf.compat.v1.GraphDef, input_map: Mapping[str, tf.Tensor]) -> None:
    """Imports a GraphDef with absolute names into the default graph.

    Unlike tf.import_graph_def, it accepts colocation with ops that are already in the graph.
    It can be deleted when the public function takes `validate_colocation_constraints`.

    Args:
        graph_def: The GraphDef. Default attributes are added to it.
        input_map: A dict from names of tensors in `graph_def`, or "^op" for control inputs,
            to tensors of the default graph that replace them.

    Raises:
        ValueError: If TensorFlow refuses the graph.
    """
    importer._import_graph_def_internal(
        graph_def, input_map=dict(input_map), name="", validate_colocation_constraints=False
    )


def find_op_def(name: str) -> op_def_pb2.OpDef | None:
    """Returns the OpDef of an op type; None if it is not registered.

    TensorFlow has no public registry of ops.
    """
    return op_def_registry.get(name)


def list_op_attributes(name: str) -> set[str]:
    """Returns the names of the attributes of a registered op type."""
    return {attr.name for attr in op_def_registry.get(name).attr}


def has_function_attributes(name: str) -> bool:
    """Whether an op type is registered and has functions as attributes."""
    definition = op_def_registry.get(name)
    return definition is not None and any(a.type in _FUNCTIONS for a in definition.attr)


def make_variable_from_proto(variable_def: Any) -> tf.compat.v1.Variable:
    """Makes the variable that a VariableDef describes, from ops of the default graph.

    tf.compat.v1.Variable.from_proto makes reference variables only. The function that
    restores collections reads `is_resource`.
    """
    variable = ops.get_from_proto_function(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES)(variable_def)
    # Optimizers of Keras 2 read the strategy of a variable, and the function does not set it.
    if not hasattr(variable, "_distribute_strategy"):
        strategy = tf.distribute.get_strategy() if tf.distribute.has_strategy() else None
        variable._distribute_strategy = strategy
    return variable


def restore_control_flow_context(key: str, context_def: Any) -> Any:
    """Makes the v1 control flow context that a WhileContextDef or CondContextDef describes.

    Its ops must be in the default graph, and are added to the context. The only public way is
    import_meta_graph.
    """
    return ops.get_from_proto_function(key)(context_def)


def decode_type_spec(proto: Any) -> tf.TypeSpec:
    """Decodes a TypeSpecProto, as in TensorInfo.composite_tensor.

    The public functions of tf.saved_model decode it only as a part of loading.

    Raises:
        ValueError: If this TensorFlow does not know the type.
    """
    value = struct_pb2.StructuredValue(type_spec_value=proto)
    return nested_structure_coder.decode_proto(value)


def encode_type_spec(type_spec: tf.TypeSpec) -> Any:
    """Encodes a TypeSpec; the inverse of decode_type_spec()."""
    return nested_structure_coder.encode_structure(type_spec).type_spec_value


def is_function_graph(graph: tf.Graph) -> bool:
    """Whether a graph is the body of a function; the classes of such graphs are private."""
    return isinstance(graph, _FUNCTION_GRAPHS)


def is_within(graph: tf.Graph, outer: tf.Graph) -> bool:
    """Whether a graph is another graph, or a function graph nested in that."""
    while graph is not outer:
        if not is_function_graph(graph):
            return False
        graph = graph.outer_graph
    return True


def make_local(tensor: tf.Tensor, graph: tf.Graph) -> tf.Tensor:
    """Returns a tensor through which imported ops of a graph can read another tensor.

    TensorFlow does this itself only for ops that are made in Python. A tensor of an outer
    graph is captured; for a reference variable its value, as functions cannot capture
    references. In a v1 loop or conditional the tensor is added to the context: the context
    would also do this after the import, but then ops that pass a variable through would have
    lost its handle data.
    """
    if tensor.graph is not graph:
        if tensor.dtype != tensor.dtype.base_dtype:
            with tensor.graph.as_default(), tf.control_dependencies(None):
                tensor = tf.identity(tensor)
        tensor = graph.capture(tensor)
    context = graph._get_control_flow_context()
    return tensor if context is None else context.AddValue(tensor)


@contextlib.contextmanager
def leave_functions() -> Iterator[None]:
    """Makes the outermost graph under construction the default graph.

    Also leaves control dependencies and control flow contexts. Unlike with tf.init_scope,
    inside a function that is traced from eager mode the graph of that function is used, not
    eager mode.
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


def make_variable(value: tf.Tensor, name: str, **options: Any) -> tf.Variable:
    """Makes a tf.Variable; in eager mode this takes a tenth of TensorFlow's time.

    In eager mode TensorFlow takes half a millisecond to make a kernel for each op with new
    attribute values, and the name of a variable is such an attribute. Only messages of the
    runtime use the attribute, so it is left out; the name that programs read is set later.

    Args:
        value: The initial value.
        name: The name of the variable, without ":0".
        options: Further arguments of tf.Variable.
    """
    if not tf.executing_eagerly() or tf.distribute.has_strategy():
        return tf.Variable(value, name=name, **options)
    variable = tf.Variable(value, **options)
    variable._handle_name = f"{name}:0"
    if _LEAKS_ATTRIBUTES:
        weakref.finalize(variable, vars(variable.handle).clear).atexit = False
    return variable


def set_loop_handle_data(graph: tf.Graph) -> None:
    """Sets the handle data (dtype and shape) of the handles that pass through v2 loops.

    tf.while_loop does this for new loops, but tf.import_graph_def does not for imported ones,
    and gradients in functions need it. It can be deleted when tf.import_graph_def does it.
    """
    for operation in graph.get_operations():
        if operation.type in ("While", "StatelessWhile"):
            for source, result in zip(operation.inputs, operation.outputs, strict=True):
                copy_handle_data(source, result)


def is_saving() -> bool:
    """Whether tf.saved_model.save is tracing functions or gradients in this thread.

    It can be deleted when gradient functions with any captures can be saved.
    """
    return save_context.in_save_context()


def copy_handle_data(source: tf.Tensor, target: tf.Tensor) -> None:
    """Copies handle data (dtype and shape); ignores tensors that are not resources.

    A tf.TensorSpec does not contain it, so the inputs of a wrapped function lack it.
    """
    if target.dtype == tf.resource:
        handle_data_util.copy_handle_data(source, target)


def record_read(variable: tf.Variable) -> None:
    """Records that a variable is read, in the function under construction and gradient tapes.

    Methods of the variable do this too, but an op that reads its handle does not.
    """
    resource_variable_ops.variable_accessed(variable)


class _NamedArguments(wrap_function.WrappedFunction):
    """A wrapped function that is called by the names of its arguments.

    TensorFlow first tries whether the arguments are positional. The error that says that they are
    not, which is caught, holds the values of all inputs as text: for a matrix this takes ten
    times as long as the call.
    """

    def _call_impl(self, args: Any, kwargs: Any) -> Any:
        if kwargs:
            return self._call_with_flat_signature(args, kwargs)
        return super()._call_impl(args, kwargs)


def name_arguments(function: Any, specs: Mapping[str, tf.TensorSpec]) -> None:
    """Names the arguments of a wrapped function, for calls and for saving it as a signature.

    tf.compat.v1.wrap_function supports positional arguments only, and the arguments of a
    tf.function must be identifiers, while inputs of modules may be named "a/b" or "a$b".
    TensorFlow's own loader of TF1 SavedModels sets the same attributes.

    Args:
        function: The wrapped function.
        specs: A dict from the name of each argument to its tf.TensorSpec, in the order of the
            function's arguments.
    """
    function.__class__ = _NamedArguments
    function._arg_keywords = list(specs)
    function._num_positional_args = 1 if len(specs) == 1 else 0
    function.graph.structured_input_signature = ((), dict(specs))


def write_fingerprint(directory: str) -> None:
    """Writes the fingerprint of a SavedModel that was changed after tf.saved_model.save.

    It can be deleted when there is a public function.
    """
    fingerprinting_utils.write_fingerprint(directory)


def list_parameters(function: Any) -> set[str]:
    """Returns the parameter names of a callable, which may be a tf.function that was loaded."""
    spec = getattr(function, "function_spec", None) or getattr(function, "_function_spec", None)
    if spec is None:
        try:
            return set(inspect.signature(function).parameters)
        except (TypeError, ValueError):  # some functions written in C have no signature
            return set()
    return {*spec.fullargspec.args, *spec.fullargspec.kwonlyargs}


def override_gradients(graph: tf.Graph, names: Mapping[str, str]) -> None:
    """Makes tf.gradients use other gradient functions for the ops of a graph.

    tf.Graph.gradient_override_map does this for new ops, but not for imported ones.

    Args:
        graph: The graph, whose ops are changed.
        names: A dict from op types to the names under which gradient functions are registered.
    """
    for operation in graph.get_operations():
        if operation.type in names:
            name = attr_value_pb2.AttrValue(s=names[operation.type].encode())
            operation._set_attr("_gradient_op_type", name)

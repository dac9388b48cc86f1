"""Finds what runs the nodes of a graph variant: signatures, initialisers, methods of objects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf import meta_graph_pb2, queue_runner_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.surgery.names import get_op_name

INITIALISER = "the initialiser"
TABLE_INITIALISER = "the initialiser of a table"
SAVER = "the saver"
RESTORER = "the saver, to restore"
VARIABLE_INITIALISER = "the initialiser of variable "
_INITIALISERS = {
    "legacy_init_op": INITIALISER,
    "saved_model_main_op": INITIALISER,
    "saved_model_train_op": "the training op",
    "__saved_model_init_op": INITIALISER,
    "__saved_model_train_op": "the training op",
}
_COLLECTIONS = {
    "table_initializer": TABLE_INITIALISER,
    "update_ops": "an update op",
    "regularization_losses": "a regularisation loss",
    **_INITIALISERS,
}
_VARIABLES = frozenset({"variables", "trainable_variables", "model_variables", "local_variables"})
_RESOURCE_METHODS = frozenset({"_create_resource", "_initialize", "_initializer"})


@dataclass(frozen=True)
class Root:
    """A signature, an initialiser or the like, with the nodes or the function that it runs.

    Attributes:
        label: A phrase that names the root, e.g. "signature 'default'".
        nodes: The names of the nodes of the graph that it runs.
        function: The name of the function that it runs; "" if it runs nodes.
    """

    label: str
    nodes: tuple[str, ...] = ()
    function: str = ""


def find_roots(meta_graph: MetaGraphDef) -> list[Root]:
    """Finds everything that a MetaGraphDef says is run."""
    return [
        *_find_signature_roots(meta_graph),
        *_find_saver_roots(meta_graph),
        *_find_collection_roots(meta_graph),
        *_find_method_roots(meta_graph),
        *_find_gradient_roots(meta_graph),
    ]


def list_tensor_names(info: meta_graph_pb2.TensorInfo) -> Iterator[str]:
    """Lists the names of the tensors that an input or output of a signature consists of."""
    encoding = info.WhichOneof("encoding")
    if encoding == "coo_sparse":
        sparse = info.coo_sparse
        yield sparse.values_tensor_name
        yield sparse.indices_tensor_name
        yield sparse.dense_shape_tensor_name
    elif encoding == "composite_tensor":
        for component in info.composite_tensor.components:
            yield component.name
    else:
        yield info.name


def list_checkpointed_variables(meta_graph: MetaGraphDef) -> Iterator[str]:
    """Lists the names of the nodes of variables whose values are in the checkpoint."""
    for key, collection in meta_graph.collection_def.items():
        if key in _VARIABLES:
            for value in collection.bytes_list.value:
                with contextlib.suppress(DecodeError):
                    yield get_op_name(VariableDef.FromString(value).variable_name)


def _find_signature_roots(meta_graph: MetaGraphDef) -> Iterator[Root]:
    for name, signature in sorted(meta_graph.signature_def.items()):
        tensors = [t for info in signature.outputs.values() for t in list_tensor_names(info)]
        label = _INITIALISERS.get(name, f"signature '{name}'")
        yield Root(label, tuple(map(get_op_name, tensors)))


def _find_collection_roots(meta_graph: MetaGraphDef) -> Iterator[Root]:
    for key, collection in sorted(meta_graph.collection_def.items()):
        kind = collection.WhichOneof("kind")
        if kind == "node_list":
            names = tuple(map(get_op_name, collection.node_list.value))
            yield Root(_COLLECTIONS.get(key, f"collection '{key}'"), names)
        elif kind == "bytes_list":
            yield from _parse_roots(key, collection.bytes_list.value)


def _parse_roots(key: str, values: list[bytes]) -> Iterator[Root]:
    """Finds what serialised variables and queue runners run; skips those that are damaged."""
    for value in dict.fromkeys(values):
        try:
            if key in _VARIABLES:
                yield from _find_variable_roots(VariableDef.FromString(value))
            elif key == "queue_runners":
                runner = queue_runner_pb2.QueueRunnerDef.FromString(value)
                ops = [*runner.enqueue_op_name, runner.close_op_name, runner.cancel_op_name]
                yield Root("a queue runner", tuple(map(get_op_name, ops)))
        except DecodeError:
            continue


def _find_variable_roots(variable: VariableDef) -> Iterator[Root]:
    name = get_op_name(variable.variable_name)
    initial = filter(None, (variable.initializer_name, variable.initial_value_name))
    yield Root(f"{VARIABLE_INITIALISER}'{name}'", tuple(map(get_op_name, initial)))
    if variable.snapshot_name:
        yield Root(f"a read of variable '{name}'", (get_op_name(variable.snapshot_name),))


def _find_saver_roots(meta_graph: MetaGraphDef) -> Iterator[Root]:
    # Loaders run the restore op with the path of the module's own checkpoint. Only callers run
    # the other op, with a path of theirs.
    saver = meta_graph.saver_def
    for label, name in ((SAVER, saver.save_tensor_name), (RESTORER, saver.restore_op_name)):
        if name:
            yield Root(label, (get_op_name(name),))


def _find_gradient_roots(meta_graph: MetaGraphDef) -> Iterator[Root]:
    """Finds the functions that TF2 runs to compute gradients."""
    for gradient in meta_graph.graph_def.library.registered_gradients:
        label = f"the gradient '{gradient.registered_op_type}'"
        yield Root(label, function=gradient.gradient_func)


def _find_method_roots(meta_graph: MetaGraphDef) -> Iterator[Root]:
    """Finds the functions of the objects of a TF2 SavedModel."""
    objects = meta_graph.object_graph_def.nodes
    paths = {0: ""}
    pending = [0] if objects else []
    while pending:
        index = pending.pop()
        for child in objects[index].children:
            if child.node_id not in paths and 0 <= child.node_id < len(objects):
                paths[child.node_id] = f"{paths[index]}.{child.local_name}".lstrip(".")
                pending.append(child.node_id)
    for index, item in enumerate(objects):
        path = paths.get(index, f"object {index}")
        owner, _, name = path.rpartition(".")
        if name.startswith("trace_"):  # one of the concrete functions of a method
            path = owner
            owner, _, name = path.rpartition(".")
        is_initialiser = name in _RESOURCE_METHODS
        label = f"the initialiser of '{owner}'" if is_initialiser else f"method '{path}'"
        functions = [*item.function.concrete_functions]
        if item.bare_concrete_function.concrete_function_name:
            functions.append(item.bare_concrete_function.concrete_function_name)
        for function in functions:
            yield Root(label, function=function)

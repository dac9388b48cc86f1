"""The state graph: the variables and tables of a graph variant, once in a tf.Graph."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import ScopeError
from hubmodule.format.checkpoint import Contents, split_into_batches
from hubmodule.module.blame import explain_failures
from hubmodule.module.variant import Variant
from hubmodule.surgery import collections
from hubmodule.surgery.names import add_scope, get_op_name
from hubmodule.surgery.prune import Subgraph
from hubmodule.surgery.scoping import move_graph_def, move_variable_def
from hubmodule.surgery.state import VariableState, build_restore_graph

Variable: TypeAlias = tf.compat.v1.Variable


@dataclass(frozen=True)
class StateGraph:
    """The state of a module in a graph.

    Attributes:
        graph: The graph that holds the state.
        scope: The absolute name of the name scope and variable scope, with the final "/".
        variables: The variables by their names in the module, e.g. "dense/kernel:0", in the
            order of the module's collection.
    """

    graph: tf.Graph
    scope: str
    variables: Mapping[str, Variable]

    def get_tensor(self, name: str) -> tf.Tensor:
        """Returns the tensor of the graph for the name of a state tensor in the module."""
        return self.graph.get_tensor_by_name(self.scope + name)

    def get_value(self, variable: VariableState) -> tf.Tensor:
        """Returns a tensor with the value of a variable of the module."""
        return self.get_tensor(variable.snapshot)


def build_state(
    variant: Variant, checkpoint: Contents | None, name: str, trainable: bool
) -> StateGraph:
    """Adds the state of a variant to the graph under construction.

    The state goes to the outermost graph, outside of control dependencies, control flow and
    functions. Device functions place it. Its variables, tables and losses are added to the
    collections of the graph.

    Args:
        variant: The graph variant.
        checkpoint: The checkpoint from which the initialisers read the variables; None means
            that the author's initialisers compute the values.
        name: The name of the scope, which is made unique in the current variable scope.
        trainable: Whether to add to the collections of trainable variables and of
            regularisation losses.

    Raises:
        CheckpointError: If the checkpoint lacks a variable.
        ModuleFormatError: If the graph variant is damaged.
        ScopeError: If the name scope with the name of the variable scope is taken.
        UnregisteredOpsError: If this process does not know an op.
    """
    build = functools.partial(_build_state, variant, checkpoint, name, trainable)
    with explain_failures(variant, "added to a graph", build):
        return build()


def _build_state(
    variant: Variant, checkpoint: Contents | None, name: str, trainable: bool
) -> StateGraph:
    restored = checkpoint is not None
    if checkpoint is not None:
        for variable in variant.variables:
            checkpoint.check(variable.checkpoint_name, variable.checkpoint_shape, variable.dtype)
    template = variant.get_state_template(trainable, restored)
    with _tf.leave_functions():
        graph = tf.compat.v1.get_default_graph()
        scope = _claim_scope(graph, name)
        _tf.import_graph_def(move_graph_def(scope, template.graph_def), {})
        values = {}
        if checkpoint is not None:
            values = _add_restore_ops(graph, variant, checkpoint.prefix, scope)
        restore_contexts(variant, template.subgraph, scope)
        trainables = (
            variant.list_variable_names(collections.TRAINABLE_VARIABLES) if trainable else set()
        )
        variables = {
            variable.definition.variable_name: _tf.make_variable_from_proto(
                move_variable_def(
                    scope,
                    variable.definition,
                    trainable=variable.definition.variable_name in trainables,
                    initial_value=values.get(variable.op),
                )
            )
            for variable in variant.variables
        }
        state = StateGraph(graph, scope, variables)
        _fill_collections(state, variant, trainable)
    return state


def build_bare_state(variant: Variant) -> StateGraph:
    """Adds the state to the default graph, without restoring values or filling collections."""
    scope = "module/"
    template = variant.get_state_template(trainable=False, restored=True)
    _tf.import_graph_def(move_graph_def(scope, template.graph_def), {})
    return StateGraph(tf.compat.v1.get_default_graph(), scope, {})


def restore_contexts(
    variant: Variant,
    subgraph: Subgraph,
    scope: str,
    replacements: Mapping[str, tf.Tensor] | None = None,
) -> None:
    """Gives imported ops the v1 control flow contexts that they had in the module.

    Args:
        variant: The graph variant.
        subgraph: The subgraph that was imported into the default graph.
        scope: The absolute scope of the import, with the final "/".
        replacements: Tensors of the graph that replace the module's, by the module's names.
    """
    live = replacements or {}

    def find_new_name(reference: str) -> str | None:
        if reference in live:
            return live[reference].name
        return add_scope(scope, reference) if get_op_name(reference) in subgraph.ops else None

    for key, context_def in variant.index.contexts.move_under(scope, find_new_name):
        context = _tf.restore_control_flow_context(key, context_def)
        if context.outer_context is None:  # the outer context holds the nested ones
            tf.compat.v1.add_to_collection(key, context)


def _claim_scope(graph: tf.Graph, name: str) -> str:
    """Opens a variable scope and a name scope of the same name, which were both unused.

    Programs find a module's variables in their checkpoints by this name, so it must
    not depend on the other ops of the graph.
    """
    with tf.compat.v1.variable_scope(
        None, default_name=name, auxiliary_name_scope=False
    ) as variable_scope:
        scope = variable_scope.name
    with graph.name_scope(None):
        unique = graph.unique_name(scope)
    if unique != scope:
        raise ScopeError(
            f"variable_scope '{scope}' was unused, but the corresponding name_scope is already "
            "taken, so the module's variables cannot have the same names in each program. If you "
            "build a model several times (towers), make one hub.Module before and apply it in each "
            "tower; otherwise pass another name to hub.Module(..., name=...)."
        )
    return scope + "/"


def _add_restore_ops(
    graph: tf.Graph, variant: Variant, checkpoint: str, scope: str
) -> dict[str, str]:
    """Adds ops that read the checkpoint and assign the values to the variables.

    There is one reading op per device, or several for a large module, which run in parallel.

    Returns:
        A dict from the names of the variable ops in the module to the absolute names of the
        tensors with the values that were read.
    """
    by_device: dict[str, list[VariableState]] = defaultdict(list)
    for variable in variant.variables:
        by_device[graph.get_operation_by_name(scope + variable.op).device].append(variable)
    groups = [
        (device, group) for device in by_device for group in split_into_batches(by_device[device])
    ]
    values = {}
    for index, (device, variables) in enumerate(groups):
        name = f"checkpoint_restore_{index}"
        while name in variant.index.nodes:
            name += "_"
        graph_def = build_restore_graph(variables, checkpoint, name, scope, _find_cpu(device))
        handles = {
            f"{scope}{v.op}:0": graph.get_tensor_by_name(f"{scope}{v.op}:0") for v in variables
        }
        _tf.import_graph_def(graph_def, handles)
        for output, variable in enumerate(variables):
            values[variable.op] = f"{scope}{name}:{output}"
    return values


def _find_cpu(device: str) -> str:
    """Returns the CPU of the task of a device, as TensorFlow reads files on CPUs only."""
    if not device:
        return ""
    spec = tf.DeviceSpec.from_string(device)
    return spec.replace(device_type="CPU", device_index=0).to_string()


def _fill_collections(state: StateGraph, variant: Variant, trainable: bool) -> None:
    """Adds the variables, tables, assets and losses of a module to the graph's collections."""
    models = variant.list_variable_names(collections.MODEL_VARIABLES)
    for name, variable in state.variables.items():
        state.graph.add_to_collection(collections.VARIABLES, variable)
        if name in models:
            state.graph.add_to_collection(collections.MODEL_VARIABLES, variable)
        if variable.trainable:
            state.graph.add_to_collection(collections.TRAINABLE_VARIABLES, variable)
    for key in (collections.TABLE_INITIALIZERS, collections.ASSET_FILEPATHS):
        _add_elements(state, variant, key)
    if trainable:
        _add_elements(state, variant, collections.REGULARIZATION_LOSSES)


def _add_elements(state: StateGraph, variant: Variant, key: str) -> None:
    for name in collections.list_names(variant.meta_graph, key):
        state.graph.add_to_collection(key, state.graph.as_graph_element(state.scope + name))

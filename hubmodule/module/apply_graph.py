"""Adds the ops that compute the outputs of a signature from inputs to the graph of a module.

A call of a hub.Module takes this path:

    Module.__call__          module.py: names the inputs
    add_application          this file: explains errors that a damaged module causes
    _add_application         this file: takes the signature's ops, a Template, from the Variant
    values.make_feeds        values.py: converts the inputs to tensors
    _find_groups             this file: replaces the colocation with inputs and state
    move_graph_def           surgery/scoping.py: puts the names under the scope of the application
    _tf.import_graph_def     adds the ops
    restore_contexts         state_graph.py: gives TF1 loops and conditionals their contexts
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Protocol

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import GraphError
from hubmodule.module import values
from hubmodule.module.blame import explain_failures
from hubmodule.module.state_graph import build_bare_state, restore_contexts
from hubmodule.module.variant import Template, Variant
from hubmodule.surgery import collections, colocation
from hubmodule.surgery.names import get_op_name
from hubmodule.surgery.scoping import move_graph_def

_NOT_IN_SCOPES = re.compile(r"[^A-Za-z0-9_.\\\-]")


class State(Protocol):
    """The interface by which an application reads the state of a module, e.g. a StateGraph."""

    @property
    def graph(self) -> tf.Graph:
        """The graph that holds the state."""

    def get_tensor(self, name: str) -> tf.Tensor:
        """Returns the tensor of the graph for the name of a state tensor in the module."""


def add_application(
    variant: Variant,
    state: State,
    name: str,
    signature: str,
    inputs: Mapping[str, Any],
    trainable: bool,
) -> dict[str, Any]:
    """Adds an application of a signature to the default graph.

    Args:
        variant: The graph variant of the module.
        state: The state of the module. The default graph must be its graph, or the graph of
            a function in it.
        name: The name of the module; the ops are added under "<name>_apply_<signature>".
        signature: The name of the signature.
        inputs: A dict from the names of the signature's inputs to tensors or values.
        trainable: Whether to add the update ops, also to their collection.

    Returns:
        A dict from the names of the outputs to tensors or composite tensors.

    Raises:
        ColocationError: If colocation constraints of the module cannot hold with these inputs.
        GraphError: If the default graph is not the module's.
        ModuleFormatError: If the graph variant is damaged.
        NoSuchSignatureError: If no signature has this name.
        SignatureMismatchError: If the inputs do not have the names, types and shapes of the
            signature.
        UnregisteredOpsError: If this process does not know an op.
    """
    trial = functools.partial(_apply_to_placeholders, variant, signature, trainable)
    with explain_failures(variant, f"applied with signature '{signature}'", trial):
        return _add_application(variant, state, name, signature, inputs, trainable)


def _apply_to_placeholders(variant: Variant, signature: str, trainable: bool) -> None:
    infos = variant.get_signature(signature).inputs
    inputs = {name: info.placeholder() for name, info in infos.items()}
    state = build_bare_state(variant)
    _add_application(variant, state, "module", signature, inputs, trainable)


def _add_application(
    variant: Variant,
    state: State,
    name: str,
    signature: str,
    inputs: Mapping[str, Any],
    trainable: bool,
) -> dict[str, Any]:
    graph = tf.compat.v1.get_default_graph()
    _check_graph(graph, state)
    infos = variant.get_signature(signature)
    template = variant.get_application_template(signature, trainable)
    with graph.name_scope(_NOT_IN_SCOPES.sub("_", f"{name}_apply_{signature}")) as scope:
        feeds = values.make_feeds(infos.inputs, inputs)
    sources = {
        read: state.get_tensor(read) for read in template.subgraph.tensors - set(feeds)
    } | feeds
    live = {replaced: _tf.make_local(tensor, graph) for replaced, tensor in sources.items()}
    if template.subgraph.ops:
        anchors = (f"{op}:0" for op in template.anchors & variant.state_ops)
        groups = _find_groups(
            template, {name: state.get_tensor(name) for name in anchors} | sources
        )
        _import(template, scope, live, groups)
        restore_contexts(variant, template.subgraph, scope, live)
    for update in template.update_ops:
        graph.add_to_collection(collections.UPDATE_OPS, graph.as_graph_element(scope + update))

    def get_output(tensor: str) -> tf.Tensor:
        if tensor in live:
            return live[tensor]
        if get_op_name(tensor) in template.subgraph.ops:
            return graph.get_tensor_by_name(scope + tensor)
        return _tf.make_local(state.get_tensor(tensor), graph)

    return {
        key: info.pack([get_output(tensor) for tensor in info.tensor_names])
        for key, info in infos.outputs.items()
    }


def _check_graph(graph: tf.Graph, state: State) -> None:
    if tf.executing_eagerly():
        raise GraphError(
            "A hub.Module is applied in its tf.Graph, but eager execution is enabled here: call it "
            "under 'with graph.as_default():', or use hub.load() in TF2."
        )
    if not _tf.is_within(graph, state.graph):
        raise GraphError(
            "Module must be applied in the graph it was instantiated for, or in a function within "
            "that graph. Make another hub.Module in this graph (in a model_fn or a Dataset.map "
            "function: inside of it), or use hub.eval_function_for_module() for plain values."
        )


def _find_groups(template: Template, sources: Mapping[str, tf.Tensor]) -> dict[str, list[bytes]]:
    """Finds the groups that replace the colocation groups of the module's inputs and state."""
    if not template.anchors:
        return {}
    replacements = defaultdict(list)
    for name, tensor in sources.items():
        if get_op_name(name) in template.anchors:
            replacements[get_op_name(name)].append(tensor.op.colocation_groups())
    return colocation.find_replacing_groups(template.graph_def, replacements)


def _import(
    template: Template,
    scope: str,
    live: Mapping[str, tf.Tensor],
    groups: Mapping[str, list[bytes]],
) -> None:
    """Adds the ops of a template to the default graph."""
    input_map = {scope + name: live[name] for name in template.subgraph.tensors}
    for name, tensor in live.items():
        if get_op_name(name) in template.control_inputs:
            input_map["^" + scope + get_op_name(name)] = tensor
    _tf.import_graph_def(move_graph_def(scope, template.graph_def, groups), input_map)

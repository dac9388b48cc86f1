"""Applications whose gradient TensorFlow cannot take on its own: those with v1 control flow.

The gradient of a function is another function, to which the first passes what it
computed. That is not possible from within a v1 loop, nor from a branch that was not taken,
so the other function computes the outputs again. Random numbers it is given, not to draw
others; variables it reads when the gradient is taken.

The gradient is built in a tf.Graph of its own, where TensorFlow knows v1 control flow, and
from there imported into the function.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import _tf
from hubmodule.errors import ModuleFormatError
from hubmodule.module.apply_graph import add_application
from hubmodule.module.state_graph import StateGraph
from hubmodule.module.variant import Variant
from hubmodule.surgery.names import op_name
from hubmodule.surgery.prune import GraphIndex
from hubmodule.surgery.random_draws import add_draw_signatures, drawing, drawn, is_draw, is_random
from hubmodule.surgery.scoping import graph_def_under
from hubmodule.tf2.application import input_specs, wrapped
from hubmodule.tf2.state import State
from hubmodule.tf2.tensor_arrays import registered_gradients

_V1_CONTROL_FLOW = frozenset({"Enter", "Merge", "Switch"})


def is_needed(variant: Variant, signature: str, updates: bool) -> bool:
    """Whether a signature needs loops or conditionals of TF1's kind."""
    graph_def = variant.application_template(signature, updates).graph_def
    return any(node.op in _V1_CONTROL_FLOW for node in graph_def.node)


def differentiable(
    variant: Variant, signature: str, state: State, updates: bool, flat: Sequence[tf.Tensor]
) -> dict[str, Any]:
    """Adds an application with a gradient to the function under construction.

    Arguments are those of `wrapped`, and its flat inputs.

    Returns:
        The outputs by name.
    """
    variant = _with_draws(variant, signature)
    reads = variant.application_template(signature, False).subgraph.tensors
    held = _captured(variant, state, reads)
    variables = {
        op: variable
        for op, variable in state.variables.items()
        if variable.trainable and f"{op}:0" in held
    }
    forward = wrapped(variant, drawing(signature), state, updates, watched=False)
    specs = input_specs(variant, signature)
    structure = {}

    @tf.custom_gradient
    def apply(*arguments: tf.Tensor) -> Any:
        # The values only carry gradients; the function reads the variables themselves.
        inputs = arguments[: len(flat)]
        results = forward(*inputs)
        draws = {name: value for name, value in results.items() if is_draw(name)}
        structure.update({n: value for n, value in results.items() if n not in draws})
        outputs = _flat(structure)

        def gradient(*upstream: tf.Tensor) -> list[tf.Tensor | None]:
            by_name = tf.nest.pack_sequence_as(specs, list(inputs), expand_composites=True)
            wanted = [d for d, y in zip(upstream, outputs, strict=True) if _has_gradient(y)]
            backward = _gradient_graph(variant, drawn(signature), list(variables))
            # A SavedModel knows state by the objects that hold it only.
            handles = _captured(variant, state, backward.state) if _tf.is_saving() else held
            computed = iter(_run(backward, [*_flat(by_name | draws), *wanted], handles))
            return [next(computed) if _has_gradient(x) else None for x in arguments]

        return outputs, gradient

    outputs = apply(*flat, *(variable.read_value() for variable in variables.values()))
    outputs = tf.nest.flatten(outputs)
    return tf.nest.pack_sequence_as(structure, outputs, expand_composites=True)


def _with_draws(variant: Variant, signature: str) -> Variant:
    """The variant with signatures that pass random numbers on, as far as they can be."""
    ops = _random_ops(variant, signature)
    free = [op for op in ops if not variant.index.contexts.find_companions(op)]
    return Variant(
        variant.tags, add_draw_signatures(variant.meta_graph, signature, free), variant.origin
    )


def _random_ops(variant: Variant, signature: str) -> list[str]:
    template = variant.application_template(signature, False)
    return sorted(node.name for node in template.graph_def.node if is_random(node.op))


def _captured(variant: Variant, state: State, reads: Collection[str]) -> dict[str, tf.Tensor]:
    """The state among some tensors, as tensors of the function under construction.

    A gradient in a loop or conditional can use those, but capture none from farther away.
    """
    wanted = [name for name in reads if op_name(name) in variant.state_ops]
    return {name: state.captured(name, watched=False) for name in sorted(wanted)}


def _run(
    graph: _GradientGraph, fed: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor]
) -> Sequence[tf.Tensor]:
    """Runs a gradient graph as a function of its inputs and of the state that it needs."""
    names = [*graph.fed, *graph.state]
    handles = [state[name] for name in graph.state]
    read = graph.read.union(graph.state)

    def differentiate(*arguments: tf.Tensor) -> list[tf.Tensor]:
        live = dict(zip(names, arguments, strict=True))
        for name in graph.state:
            _tf.copy_handle_data(state[name], live[name])
        function = tf.compat.v1.get_default_graph()
        _tf.import_graph_def(graph.graph_def, {name: live[name] for name in read})
        return [
            live[name] if name in live else function.get_tensor_by_name(name)
            for name in graph.gradients
        ]

    specs = [*graph.specs, *(tf.TensorSpec(handle.shape, handle.dtype) for handle in handles)]
    return tf.compat.v1.wrap_function(differentiate, specs)(*fed, *handles)


@dataclass(frozen=True)
class _GradientGraph:
    """A graph that computes gradients.

    Attributes:
        graph_def: its nodes.
        fed: the tensors that are its inputs; they are not in it.
        read: those inputs that its nodes read; a gradient may need none, or be one.
        specs: what they are.
        state: tensors of the module's state that it needs; they are not in it.
        gradients: the tensors that are its outputs.
    """

    graph_def: tf.compat.v1.GraphDef
    fed: Sequence[str]
    read: frozenset[str]
    specs: Sequence[tf.TensorSpec]
    state: Sequence[str]
    gradients: Sequence[str]


def _gradient_graph(variant: Variant, signature: str, variables: Sequence[str]) -> _GradientGraph:
    """The gradients of all outputs of a signature, weighted by upstream gradients."""
    _check_repeatable(variant, signature)
    with tf.Graph().as_default() as graph:
        state_def = variant.state_template(trainable=False, restored=True).graph_def
        _tf.import_graph_def(graph_def_under("", state_def), {})
        infos = variant.signature(signature).inputs
        inputs = {name: info.placeholder() for name, info in infos.items()}
        outputs = add_application(
            variant, StateGraph(graph, "", {}), "module", signature, inputs, False
        )
        targets = [y for y in _flat(outputs) if _has_gradient(y)]
        upstream = [tf.compat.v1.placeholder(y.dtype, y.shape) for y in targets]
        sources = _flat({name: x for name, x in inputs.items() if not is_draw(name)})
        sources = [x for x in sources if _has_gradient(x)]
        handles = [graph.get_tensor_by_name(f"{op}:0") for op in variables]
        _tf.override_gradients(graph, registered_gradients())
        found = tf.gradients(targets, [*sources, *handles], upstream)
        values = [*sources, *(_value(variant, handle) for handle in handles)]
        gradients = [
            tf.zeros_like(value) if gradient is None else tf.convert_to_tensor(gradient)
            for gradient, value in zip(found, values, strict=True)
        ]
    return _cut_out(graph, [*_flat(inputs), *upstream], gradients, variant.state_ops)


def _check_repeatable(variant: Variant, signature: str) -> None:
    random = _random_ops(variant, signature)
    if random:
        raise ModuleFormatError(
            f"TensorFlow cannot take the gradient of signature '{signature.partition('/')[0]}' in "
            f"TF2: {random[:3]} draw random numbers within a loop or conditional of TF1. Train "
            "the module with hub.Module in a tf.Graph."
        )


def _value(variant: Variant, handle: tf.Tensor) -> tf.Tensor:
    dtype = variant.index.nodes[handle.op.name].attr["dtype"].type
    return tf.raw_ops.ReadVariableOp(resource=handle, dtype=dtype)


def _cut_out(
    graph: tf.Graph,
    fed: Sequence[tf.Tensor],
    gradients: Sequence[tf.Tensor],
    state_ops: Collection[str],
) -> _GradientGraph:
    """What of a graph the gradients need."""
    index = GraphIndex(MetaGraphDef(graph_def=graph.as_graph_def()))
    names = [x.name for x in fed]
    part = index.find_needed(
        [y.name for y in gradients], {*names, *(op + ":0" for op in state_ops)}
    )
    graph_def = index.extract(part.ops)
    for node in graph_def.node:
        for name in ("_class", "_gradient_op_type"):
            # State, which ops are colocated with, is not in the graph; the other has served.
            node.attr.pop(name, None)
    return _GradientGraph(
        graph_def,
        names,
        part.tensors.intersection(names),
        [tf.TensorSpec(x.shape, x.dtype) for x in fed],
        sorted(part.tensors - set(names)),
        [y.name for y in gradients],
    )


def _flat(values: Any) -> list[tf.Tensor]:
    return tf.nest.flatten(values, expand_composites=True)


def _has_gradient(value: tf.Tensor) -> bool:
    return value.dtype.is_floating or value.dtype.is_complex

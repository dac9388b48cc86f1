"""The gradients of a signature as a graph of its own, which a function can import.

TensorFlow computes gradients through TF1 control flow in a tf.Graph, but not in a function.
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
from hubmodule.surgery.prune import GraphIndex, remove_attributes_in_place
from hubmodule.surgery.random_draws import is_draw, is_random
from hubmodule.surgery.scoping import move_graph_def
from hubmodule.tf2.tensor_arrays import register_gradients

# Constraints of colocation with state, which is not in the graph, and the names of gradient
# functions, which tf.gradients has called.
_OBSOLETE_ATTRIBUTES = ("_class", "_gradient_op_type")


@dataclass(frozen=True)
class GradientGraph:
    """A graph that computes gradients.

    Attributes:
        graph_def: Its nodes, without its inputs and without the module's state.
        inputs: The names of the tensors that are its inputs.
        input_specs: The types of the inputs.
        read_inputs: The names of those inputs that its nodes read.
        state: The names of the tensors of the module's state that its nodes read.
        gradients: The names of the tensors that are its outputs; an input may be one.
    """

    graph_def: tf.compat.v1.GraphDef
    inputs: Sequence[str]
    input_specs: Sequence[tf.TensorSpec]
    read_inputs: frozenset[str]
    state: Sequence[str]
    gradients: Sequence[str]

    def run(
        self, inputs: Sequence[tf.Tensor], state: Mapping[str, tf.Tensor]
    ) -> Sequence[tf.Tensor]:
        """Runs the graph as a function, now or in the function under construction.

        Args:
            inputs: The values of the inputs.
            state: The handle of each tensor in the attribute `state`, by name.

        Returns:
            The gradients.
        """
        handles = [state[name] for name in self.state]

        def compute(*arguments: tf.Tensor) -> list[tf.Tensor]:
            live = dict(zip([*self.inputs, *self.state], arguments, strict=True))
            for name in self.state:
                _tf.copy_handle_data(state[name], live[name])
            read = self.read_inputs.union(self.state)
            _tf.import_graph_def(self.graph_def, {name: live[name] for name in read})
            graph = tf.compat.v1.get_default_graph()
            return [
                live[name] if name in live else graph.get_tensor_by_name(name)
                for name in self.gradients
            ]

        specs = [*self.input_specs, *(tf.TensorSpec(h.shape, h.dtype) for h in handles)]
        return tf.compat.v1.wrap_function(compute, specs)(*inputs, *handles)


def build(variant: Variant, signature: str, variables: Sequence[str]) -> GradientGraph:
    """Builds the graph of the gradients of all outputs of a signature.

    Its inputs are the tensors of the signature's inputs, and an upstream gradient for each
    tensor of the outputs that has gradients. Its outputs are the gradients by each variable and
    by each tensor of the inputs that has gradients, except random numbers.

    Args:
        variant: The graph variant.
        signature: The name of the signature.
        variables: The names of the ops of the variables to differentiate by.

    Raises:
        ModuleFormatError: If the signature draws random numbers within TF1 control flow.
    """
    _check_repeatable(variant, signature)
    with tf.Graph().as_default() as graph:
        inputs, outputs = _apply_to_placeholders(variant, signature, graph)
        targets = [y for y in flatten(outputs) if has_gradient(y)]
        upstream = [tf.compat.v1.placeholder(y.dtype, y.shape) for y in targets]
        given = flatten({name: x for name, x in inputs.items() if not is_draw(name)})
        sources = [x for x in given if has_gradient(x)]
        handles = [graph.get_tensor_by_name(f"{op}:0") for op in variables]
        _tf.override_gradients(graph, register_gradients())
        gradients = tf.gradients(targets, [*sources, *handles], upstream)
        values = [*sources, *(_read_variable(variant, handle) for handle in handles)]
        filled = [_fill_gradient(*each) for each in zip(gradients, values, strict=True)]
    return _extract(graph, [*flatten(inputs), *upstream], filled, variant.state_ops)


def find_random_ops(variant: Variant, signature: str) -> list[str]:
    """Finds the ops that draw random numbers among those that a signature needs."""
    template = variant.get_application_template(signature, False)
    return sorted(node.name for node in template.graph_def.node if is_random(node.op))


def flatten(values: Any) -> list[tf.Tensor]:
    """Lists the tensors of nested values, in the order of tf.nest."""
    return tf.nest.flatten(values, expand_composites=True)


def has_gradient(value: tf.Tensor) -> bool:
    """Whether TensorFlow differentiates by tensors of this type."""
    return value.dtype.is_floating or value.dtype.is_complex


def _check_repeatable(variant: Variant, signature: str) -> None:
    random = find_random_ops(variant, signature)
    if random:
        raise ModuleFormatError(
            f"TensorFlow cannot take the gradient of signature '{signature.partition('/')[0]}' in "
            f"TF2: {random[:3]} draw random numbers within a loop or conditional of TF1. Train "
            "the module with hub.Module in a tf.Graph."
        )


def _apply_to_placeholders(
    variant: Variant, signature: str, graph: tf.Graph
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Applies a signature in the default graph, with state that is not initialised.

    Returns:
        The placeholders of the inputs by name, and the outputs by name.
    """
    state_def = variant.get_state_template(trainable=False, restored=True).graph_def
    _tf.import_graph_def(move_graph_def("", state_def), {})
    state = StateGraph(graph, "", {})
    infos = variant.get_signature(signature).inputs
    inputs = {name: info.placeholder() for name, info in infos.items()}
    return inputs, add_application(variant, state, "module", signature, inputs, False)


def _read_variable(variant: Variant, handle: tf.Tensor) -> tf.Tensor:
    dtype = variant.index.nodes[handle.op.name].attr["dtype"].type
    return tf.raw_ops.ReadVariableOp(resource=handle, dtype=dtype)


def _fill_gradient(gradient: Any, value: tf.Tensor) -> tf.Tensor:
    """Converts a gradient to a tensor; None becomes zeros of the shape of the value."""
    return tf.zeros_like(value) if gradient is None else tf.convert_to_tensor(gradient)


def _extract(
    graph: tf.Graph,
    inputs: Sequence[tf.Tensor],
    gradients: Sequence[tf.Tensor],
    state_ops: Collection[str],
) -> GradientGraph:
    """Extracts the ops that gradients need from the graph in which they were built."""
    index = GraphIndex(MetaGraphDef(graph_def=graph.as_graph_def()))
    names = [x.name for x in inputs]
    replaced = {*names, *(f"{op}:0" for op in state_ops)}
    needed = index.find_needed([y.name for y in gradients], replaced)
    graph_def = index.extract(needed.ops)
    remove_attributes_in_place(graph_def, _OBSOLETE_ATTRIBUTES)
    return GradientGraph(
        graph_def,
        inputs=names,
        input_specs=[tf.TensorSpec(x.shape, x.dtype) for x in inputs],
        read_inputs=needed.tensors.intersection(names),
        state=sorted(needed.tensors - set(names)),
        gradients=[y.name for y in gradients],
    )

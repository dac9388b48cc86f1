"""Functions that apply a module: each is one signature of one graph variant over its state.

An application in a function is an application in a graph, so it is built by graph mode's
own code; only the state comes from outside of the graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.module.apply_graph import add_application
from hubmodule.module.variant import Variant
from hubmodule.surgery import collections
from hubmodule.tf2.state import State


@dataclass(frozen=True)
class _CapturedState:
    """The state of a module, as ops of one function graph use it."""

    graph: tf.Graph
    state: State
    watched: bool = True

    def tensor(self, name: str) -> tf.Tensor:
        """The tensor that stands for one of the module."""
        with self.graph.as_default():
            return self.state.captured(name, self.watched)


def input_specs(variant: Variant, signature: str) -> dict[str, tf.TypeSpec]:
    """What each input of a signature is."""
    return {name: info.type_spec for name, info in variant.signature(signature).inputs.items()}


def wrapped(
    variant: Variant, signature: str, state: State, updates: bool, watched: bool = True
) -> Any:
    """A wrapped function of the flat inputs of a signature; gives the dict of its outputs.

    It is one graph as TF1 runs it: nothing is ordered but what the module orders, and
    what the outputs do not need does not run.

    Args:
        variant: of the module.
        signature: its name.
        state: of the module, with all that the variant needs.
        updates: whether the outputs wait for the update ops.
        watched: whether tapes get to know of the variables that it reads.
    """
    specs = input_specs(variant, signature)

    def apply(*flat: tf.Tensor) -> dict[str, Any]:
        graph = tf.compat.v1.get_default_graph()
        inputs = tf.nest.pack_sequence_as(specs, list(flat), expand_composites=True)
        outputs = add_application(
            variant, _CapturedState(graph, state, watched), "module", signature, inputs, updates
        )
        _tf.complete_loops(graph)
        done = graph.get_collection(collections.UPDATE_OPS)
        with tf.control_dependencies(done):
            return tf.nest.map_structure(tf.identity, outputs, expand_composites=True)

    return tf.compat.v1.wrap_function(apply, tf.nest.flatten(specs, expand_composites=True))

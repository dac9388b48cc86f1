"""Finds the part of a graph that some of its tensors and ops need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.errors import ModuleFormatError
from hubmodule.surgery import functions
from hubmodule.surgery.control_flow import Contexts
from hubmodule.surgery.names import is_control, op_name, tensor_name


@dataclass(frozen=True)
class Part:
    """A part of a graph, and where it was cut off the rest.

    Attributes:
        ops: the names of the ops of the part.
        tensors: the tensors outside of the part ("x:0") that it reads.
        controls: the ops outside of the part that it waits for.
    """

    ops: frozenset[str]
    tensors: frozenset[str]
    controls: frozenset[str]


class Wiring:
    """The nodes of one MetaGraph by name, with the contexts they are in.

    Args:
        meta_graph: is not changed, and must not change afterwards.

    Raises:
        ModuleFormatError: if two nodes have one name, or a context cannot be read.
    """

    def __init__(self, meta_graph: MetaGraphDef):
        self.graph_def = meta_graph.graph_def
        self.nodes = {node.name: node for node in self.graph_def.node}
        if len(self.nodes) < len(self.graph_def.node):
            raise ModuleFormatError(_twins(self.graph_def))
        self._places = {name: place for place, name in enumerate(self.nodes)}
        self.contexts = Contexts(meta_graph)

    def needed(
        self,
        roots: Iterable[str],
        replaced: Collection[str] = (),
        replaced_ops: Collection[str] | None = None,
    ) -> Part:
        """What the roots need.

        Args:
            roots: names of tensors and ops.
            replaced: tensors that come from elsewhere; what only they need is not part
                of it. An op all of whose outputs are replaced is not either.
            replaced_ops: the ops of `replaced`; given by who has them, as there may be
                many more than are needed.

        Raises:
            KeyError: if a name is not in the graph.
        """
        if replaced_ops is None:
            replaced_ops = {op_name(name) for name in replaced}
        ops: set[str] = set()
        tensors: set[str] = set()
        controls: set[str] = set()
        pending: list[str] = []

        def follow(reference: str) -> None:
            op = op_name(reference)
            if is_control(reference):
                (controls.add if op in replaced_ops else pending.append)(op)
            elif tensor_name(reference) in replaced:
                tensors.add(tensor_name(reference))
            else:
                pending.append(op)

        pending.extend(op_name(root) for root in roots if root not in replaced)
        while pending:
            op = pending.pop()
            if op not in ops:
                ops.add(op)
                for reference in self.nodes[op].input:
                    follow(reference)
                if companions := self.contexts.companions(op):
                    pending.extend(companions.difference(replaced_ops))
        return Part(frozenset(ops), frozenset(tensors), frozenset(controls))

    def graph_of(self, ops: Collection[str]) -> tf.compat.v1.GraphDef:
        """The GraphDef of some ops, in the graph's order, with the functions they need."""
        graph_def = tf.compat.v1.GraphDef(versions=self.graph_def.versions)
        graph_def.node.extend(self.nodes[op] for op in sorted(ops, key=self._places.__getitem__))
        graph_def.library.CopyFrom(functions.needed_library(graph_def.node, self.graph_def.library))
        return graph_def


def _twins(graph_def: tf.compat.v1.GraphDef) -> str:
    counts = Counter(node.name for node in graph_def.node)
    twins = [name for name, count in counts.items() if count > 1]
    return (
        f"The graph has several nodes named {twins[:5]}, so that none can be told from the other. "
        "Fetch the module again."
    )

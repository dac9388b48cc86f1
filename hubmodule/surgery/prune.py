"""Finds the part of a graph that some of its tensors and ops need."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.errors import ModuleFormatError
from hubmodule.surgery.control_flow import Contexts
from hubmodule.surgery.functions import FunctionLibrary
from hubmodule.surgery.names import is_control, op_name, tensor_name


@dataclass(frozen=True)
class Subgraph:
    """A part of a graph, and where it was cut off the rest.

    Attributes:
        ops: the names of the ops of the part.
        tensors: the tensors outside of the part ("x:0") that it reads.
        controls: the ops outside of the part that it waits for.
    """

    ops: frozenset[str]
    tensors: frozenset[str]
    controls: frozenset[str]


class _Reads(NamedTuple):
    """What one op needs; as in Subgraph, by whether it is replaced."""

    ops: list[str]
    tensors: list[str]
    controls: list[str]


class GraphIndex:
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
        self._library = FunctionLibrary(self.graph_def.library)
        self.contexts = Contexts(meta_graph)

    def find_needed(
        self,
        roots: Iterable[str],
        replaced: Collection[str] = (),
        replaced_ops: Collection[str] | None = None,
    ) -> Subgraph:
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
        pending = [op_name(root) for root in roots if root not in replaced]
        while pending:
            op = pending.pop()
            if op not in ops:
                ops.add(op)
                reads = self._reads_of(op, replaced, replaced_ops)
                pending.extend(reads.ops)
                tensors.update(reads.tensors)
                controls.update(reads.controls)
        return Subgraph(frozenset(ops), frozenset(tensors), frozenset(controls))

    def find_dependents(
        self, targets: Iterable[str], part: Subgraph, replaced: Collection[str]
    ) -> set[str]:
        """Finds the ops of a part that need some of its ops, directly or through others.

        Args:
            targets: Names of ops of the part. They are in the result.
            part: What `find_needed` returned.
            replaced: Tensors that come from elsewhere, as they were given to `find_needed`.
        """
        replaced_ops = {op_name(name) for name in replaced}
        readers: dict[str, list[str]] = defaultdict(list)
        for op in part.ops:
            for read in self._reads_of(op, replaced, replaced_ops).ops:
                readers[read].append(op)
        found: set[str] = set()
        pending = list(targets)
        while pending:
            op = pending.pop()
            if op not in found:
                found.add(op)
                pending.extend(readers[op])
        return found

    def _reads_of(
        self, op: str, replaced: Collection[str], replaced_ops: Collection[str]
    ) -> _Reads:
        """What one op needs: ops, and the replaced tensors and ops that stand for others."""
        reads = _Reads([], [], [])
        for reference in self.nodes[op].input:
            if is_control(reference):
                source = op_name(reference)
                if source in replaced_ops:
                    reads.controls.append(source)
                else:
                    reads.ops.append(source)
            elif tensor_name(reference) in replaced:
                reads.tensors.append(tensor_name(reference))
            else:
                reads.ops.append(op_name(reference))
        if companions := self.contexts.find_companions(op):
            reads.ops.extend(companions.difference(replaced_ops))
        return reads

    def extract(self, ops: Collection[str]) -> tf.compat.v1.GraphDef:
        """The GraphDef of some ops, in the graph's order, with the functions they need."""
        graph_def = tf.compat.v1.GraphDef(versions=self.graph_def.versions)
        graph_def.node.extend(self.nodes[op] for op in sorted(ops, key=self._places.__getitem__))
        graph_def.library.CopyFrom(self._library.extract_needed(graph_def.node))
        return graph_def


def remove_control_inputs_in_place(graph_def: tf.compat.v1.GraphDef, ops: Collection[str]) -> None:
    """Removes the control inputs that name some ops.

    Args:
        graph_def: Its nodes are changed.
        ops: Names of ops, in the graph or not.
    """
    if not ops:
        return
    for node in graph_def.node:
        kept = [i for i in node.input if not (is_control(i) and op_name(i) in ops)]
        if len(kept) < len(node.input):
            del node.input[:]
            node.input.extend(kept)


def _twins(graph_def: tf.compat.v1.GraphDef) -> str:
    counts = Counter(node.name for node in graph_def.node)
    twins = [name for name, count in counts.items() if count > 1]
    return (
        f"The graph has several nodes named {twins[:5]}, so that none can be told from the other. "
        "Fetch the module again."
    )

"""Finds and extracts the subgraph that some tensors and ops need."""

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
from hubmodule.surgery.names import get_op_name, get_tensor_name, is_control


@dataclass(frozen=True)
class Subgraph:
    """A subgraph, and its inputs from the rest of the graph.

    Attributes:
        ops: The names of the ops of the subgraph.
        tensors: The names of the tensors outside, e.g. "x:0", that it reads.
        controls: The names of the ops outside that are control inputs of it.
    """

    ops: frozenset[str]
    tensors: frozenset[str]
    controls: frozenset[str]


class _Reads(NamedTuple):
    """The inputs of one op: ops of the subgraph, and replaced tensors and control inputs."""

    ops: list[str]
    tensors: list[str]
    controls: list[str]


class GraphIndex:
    """The nodes of a MetaGraph by name, with their control flow contexts.

    Args:
        meta_graph: The MetaGraphDef. It is not changed, and must not change afterwards.

    Raises:
        ModuleFormatError: If two nodes have the same name, or a context cannot be read.
    """

    def __init__(self, meta_graph: MetaGraphDef):
        self.graph_def = meta_graph.graph_def
        self.nodes = {node.name: node for node in self.graph_def.node}
        if len(self.nodes) < len(self.graph_def.node):
            raise ModuleFormatError(_describe_duplicates(self.graph_def))
        self._places = {name: place for place, name in enumerate(self.nodes)}
        self._library = FunctionLibrary(self.graph_def.library)
        self.contexts = Contexts(meta_graph)

    def find_needed(
        self,
        roots: Iterable[str],
        replaced: Collection[str] = (),
        replaced_ops: Collection[str] | None = None,
    ) -> Subgraph:
        """Finds the ops that some tensors and ops need, directly or through others.

        Args:
            roots: The names of the tensors and ops.
            replaced: The names of tensors that the caller replaces. Ops that only these
                need are left out, and so is an op if all its outputs are replaced.
            replaced_ops: The names of the ops of `replaced`; None computes them. A caller
                that has them saves time, because they may be many.

        Raises:
            KeyError: If a name is not in the graph.
        """
        if replaced_ops is None:
            replaced_ops = {get_op_name(name) for name in replaced}
        ops: set[str] = set()
        tensors: set[str] = set()
        controls: set[str] = set()
        pending = [get_op_name(root) for root in roots if root not in replaced]
        while pending:
            op = pending.pop()
            if op not in ops:
                ops.add(op)
                reads = self._find_reads(op, replaced, replaced_ops)
                pending.extend(reads.ops)
                tensors.update(reads.tensors)
                controls.update(reads.controls)
        return Subgraph(frozenset(ops), frozenset(tensors), frozenset(controls))

    def find_dependents(
        self, targets: Iterable[str], subgraph: Subgraph, replaced: Collection[str]
    ) -> set[str]:
        """Finds the ops of a subgraph that need some of its ops, directly or through others.

        Args:
            targets: The names of ops of the subgraph. They are in the result.
            subgraph: The subgraph, from find_needed().
            replaced: The names of the replaced tensors, as passed to find_needed().
        """
        replaced_ops = {get_op_name(name) for name in replaced}
        readers: dict[str, list[str]] = defaultdict(list)
        for op in subgraph.ops:
            for read in self._find_reads(op, replaced, replaced_ops).ops:
                readers[read].append(op)
        found: set[str] = set()
        pending = list(targets)
        while pending:
            op = pending.pop()
            if op not in found:
                found.add(op)
                pending.extend(readers[op])
        return found

    def _find_reads(
        self, op: str, replaced: Collection[str], replaced_ops: Collection[str]
    ) -> _Reads:
        """Finds the direct inputs of an op."""
        reads = _Reads([], [], [])
        for reference in self.nodes[op].input:
            if is_control(reference):
                source = get_op_name(reference)
                if source in replaced_ops:
                    reads.controls.append(source)
                else:
                    reads.ops.append(source)
            elif get_tensor_name(reference) in replaced:
                reads.tensors.append(get_tensor_name(reference))
            else:
                reads.ops.append(get_op_name(reference))
        if companions := self.contexts.find_companions(op):
            reads.ops.extend(companions.difference(replaced_ops))
        return reads

    def extract(self, ops: Collection[str]) -> tf.compat.v1.GraphDef:
        """Makes a GraphDef of some ops, in the order of the graph, with their functions."""
        graph_def = tf.compat.v1.GraphDef(versions=self.graph_def.versions)
        graph_def.node.extend(self.nodes[op] for op in sorted(ops, key=self._places.__getitem__))
        graph_def.library.CopyFrom(self._library.extract_needed(graph_def.node))
        return graph_def


def remove_control_inputs_in_place(graph_def: tf.compat.v1.GraphDef, ops: Collection[str]) -> None:
    """Removes the control inputs from some ops.

    Args:
        graph_def: The graph, whose nodes are changed.
        ops: The names of the ops, which may be outside of the graph.
    """
    if not ops:
        return
    for node in graph_def.node:
        kept = [i for i in node.input if not (is_control(i) and get_op_name(i) in ops)]
        if len(kept) < len(node.input):
            del node.input[:]
            node.input.extend(kept)


def remove_attributes_in_place(graph_def: tf.compat.v1.GraphDef, names: Collection[str]) -> None:
    """Removes attributes from all nodes.

    Args:
        graph_def: The graph, whose nodes are changed.
        names: The names of the attributes, e.g. "_class".
    """
    for node in graph_def.node:
        for name in names:
            node.attr.pop(name, None)


def _describe_duplicates(graph_def: tf.compat.v1.GraphDef) -> str:
    counts = Counter(node.name for node in graph_def.node)
    names = [name for name, count in counts.items() if count > 1]
    return (
        f"The graph has several nodes named {names[:5]}; names must be unique. Fetch the module "
        "again."
    )

"""Adapts colocation constraints to a subgraph that is extracted and imported elsewhere.

A node's attribute "_class" lists constraints "loc:@op". A constraint on a replaced op becomes a
constraint on the op that replaces it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

import tensorflow as tf

from hubmodule.errors import ColocationError
from hubmodule.surgery.names import get_op_name

# What a constraint begins with; the name of an op follows.
GROUP = b"loc:@"


def find_colocated_ops(node: tf.compat.v1.NodeDef) -> list[str]:
    """Returns the names of the ops that a node must be colocated with, without itself."""
    if "_class" not in node.attr:
        return []
    groups = node.attr["_class"].list.s
    names = [group[len(GROUP) :].decode() for group in groups if group.startswith(GROUP)]
    return [name for name in names if name != node.name]


def drop_dead_constraints(
    subgraph: tf.compat.v1.GraphDef,
    nodes: Mapping[str, tf.compat.v1.NodeDef],
    replaced_ops: Collection[str],
) -> tf.compat.v1.GraphDef:
    """Returns a copy of a subgraph whose constraints name only its own or replaced ops.

    A constraint on an op that is not extracted is replaced by constraints on the ops with which
    this op is itself colocated. If there are none, the first node of the subgraph with the
    constraint takes the place of the op, so that the nodes with the constraint stay together.

    Args:
        subgraph: The subgraph.
        nodes: All nodes of the graph by name.
        replaced_ops: Names of the ops of the graph that the import replaces.
    """
    kept = {node.name for node in subgraph.node} | set(replaced_ops)
    substitutes: dict[str, str] = {}
    result = tf.compat.v1.GraphDef()
    result.CopyFrom(subgraph)
    for node in result.node:
        wanted = find_colocated_ops(node)
        if all(name in kept for name in wanted):
            continue
        live = set()
        for leader in _find_leaders(wanted, kept, nodes):
            if leader not in kept:
                leader = substitutes.setdefault(leader, node.name)
            live.add(leader)
        _set_constraints_in_place(node, live)
    return result


def _find_leaders(
    names: Iterable[str], kept: Collection[str], nodes: Mapping[str, tf.compat.v1.NodeDef]
) -> Iterator[str]:
    """Follows constraints from op to op, up to an op that is kept or has no constraint itself."""
    pending, seen = list(names), set()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        further = find_colocated_ops(nodes[current]) if current in nodes else []
        if current in kept or not further:
            yield current
        else:
            pending.extend(further)


def _set_constraints_in_place(node: tf.compat.v1.NodeDef, targets: Iterable[str]) -> None:
    """Replaces the constraints of a node; other elements of "_class" stay."""
    groups = node.attr["_class"].list.s
    others = [group for group in groups if not group.startswith(GROUP)]
    del groups[:]
    groups.extend(others + [GROUP + name.encode() for name in sorted(targets)])


def find_replacing_groups(
    subgraph: tf.compat.v1.GraphDef, replacements: Mapping[str, Collection[Iterable[bytes]]]
) -> dict[str, list[bytes]]:
    """Finds the colocation groups that take the place of constraints on replaced ops.

    Args:
        subgraph: The nodes that are going to be imported.
        replacements: For each replaced op the colocation groups (b"loc:@name") of each op
            that replaces one of its outputs.

    Returns:
        The groups by the name of the replaced op.

    Raises:
        ColocationError: If a node is colocated with an op of which the outputs are replaced
            by ops that are not colocated with each other, or of which only some are replaced.
    """
    followers: dict[str, list[str]] = defaultdict(list)
    kept = {node.name for node in subgraph.node}
    for node in subgraph.node:
        for target in find_colocated_ops(node):
            if target in replacements:
                followers[target].append(node.name)
    result = {}
    for target, nodes in followers.items():
        choices = {tuple(sorted(groups)) for groups in replacements[target]}
        if target in kept:
            choices.add((GROUP + target.encode(),))
        if len(choices) > 1:
            raise ColocationError(_describe_ambiguity(nodes[0], target, choices))
        result[target] = list(choices.pop())
    return result


def _describe_ambiguity(node: str, target: str, choices: Iterable[tuple[bytes, ...]]) -> str:
    listed = " or ".join(
        "[" + ", ".join(group.decode() for group in groups) + "]" for groups in sorted(choices)
    )
    return (
        f"Op '{node}' of the module has the colocation constraint 'loc:@{target}', but the outputs "
        f"of '{target}' are replaced by tensors in different places: {listed}. Pass inputs "
        "that are colocated with each other, for example by tf.identity() of each under one "
        "tf.colocate_with()."
    )


def check_inputs(
    nodes: Mapping[str, tf.compat.v1.NodeDef], inputs: Mapping[str, Collection[str]]
) -> None:
    """Checks that no input of a signature is colocated with another op.

    Args:
        nodes: All nodes of the graph by name.
        inputs: The names of the input tensors ("x:0") by the name of the signature.

    Raises:
        ColocationError: If an input is; the message names the signature, the tensor and the op.
    """
    for signature, tensors in inputs.items():
        for tensor in tensors:
            for target in find_colocated_ops(nodes[get_op_name(tensor)]):
                raise ColocationError(
                    f"Input '{tensor}' of signature '{signature}' is colocated with op '{target}'. "
                    "A consumer decides where inputs are: create the input outside of "
                    "tf.colocate_with()."
                )


def check_state(nodes: Mapping[str, tf.compat.v1.NodeDef], state_ops: Collection[str]) -> None:
    """Checks that ops that hold state are colocated only with other such ops.

    Args:
        nodes: All nodes of the graph by name.
        state_ops: The names of the ops that hold state.

    Raises:
        ColocationError: If one is colocated with another op; the message names the two ops.
    """
    for name in state_ops:
        for target in find_colocated_ops(nodes[name]):
            if target not in state_ops:
                raise ColocationError(
                    f"State op '{name}' is colocated with op '{target}', which is not state: it is "
                    "in the graph once per application of the module. Create the variable or table "
                    "outside of tf.colocate_with()."
                )

"""Colocation constraints: kept true when a part of a graph is taken out and rewired.

A node's attribute "_class" lists constraints "loc:@op". A constraint on an op that
is replaced is a constraint on what replaces it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

import tensorflow as tf

from hubmodule.errors import ColocationError
from hubmodule.surgery.names import op_name

# What a constraint begins with; the name of an op follows.
GROUP = b"loc:@"


def constrained_to(node: tf.compat.v1.NodeDef) -> list[str]:
    """The ops that a node must be colocated with, without itself."""
    if "_class" not in node.attr:
        return []
    groups = node.attr["_class"].list.s
    names = [group[len(GROUP) :].decode() for group in groups if group.startswith(GROUP)]
    return [name for name in names if name != node.name]


def with_live_constraints(
    part: tf.compat.v1.GraphDef,
    nodes: Mapping[str, tf.compat.v1.NodeDef],
    replaced_ops: Collection[str],
) -> tf.compat.v1.GraphDef:
    """A copy of a part of a graph whose constraints name only ops of the part, or replaced ones.

    Args:
        part: nodes of the graph.
        nodes: all nodes of the graph by name.
        replaced_ops: ops of the graph that come from elsewhere.

    Returns:
        A constraint on an op that is left behind is one on the ops that that op was
        itself constrained to; if there is none, the first that was to be with it takes
        its place, so that those colocated with each other stay so.
    """
    kept = {node.name for node in part.node} | set(replaced_ops)
    stand_ins: dict[str, str] = {}
    result = tf.compat.v1.GraphDef()
    result.CopyFrom(part)
    for node in result.node:
        wanted = constrained_to(node)
        if all(name in kept for name in wanted):
            continue
        live = {
            target
            for name in wanted
            for leader in _leaders(name, kept, nodes)
            for target in [leader if leader in kept else stand_ins.setdefault(leader, node.name)]
        }
        groups = node.attr["_class"].list.s
        others = [group for group in groups if not group.startswith(GROUP)]
        del groups[:]
        groups.extend(others + [GROUP + name.encode() for name in sorted(live)])
    return result


def _leaders(
    name: str, kept: Collection[str], nodes: Mapping[str, tf.compat.v1.NodeDef]
) -> Iterator[str]:
    """The kept ops that a constraint on an op comes down to, or the op that it ends at."""
    pending, seen = [name], set()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        further = constrained_to(nodes[current]) if current in nodes else []
        if current in kept or not further:
            yield current
        else:
            pending.extend(further)


def groups_of_replaced(
    part: tf.compat.v1.GraphDef, replacements: Mapping[str, Collection[Iterable[bytes]]]
) -> dict[str, list[bytes]]:
    """What takes the place of the constraints on replaced ops.

    Args:
        part: the nodes that are going to be imported.
        replacements: per replaced op, the colocation groups of each op that replaces
            one of its outputs.

    Raises:
        ColocationError: if a node is constrained to an op whose outputs are replaced by
            ops that are not colocated with each other, or only in part.
    """
    followers: dict[str, list[str]] = defaultdict(list)
    kept = {node.name for node in part.node}
    for node in part.node:
        for target in constrained_to(node):
            if target in replacements:
                followers[target].append(node.name)
    result = {}
    for target, nodes in followers.items():
        choices = {tuple(sorted(groups)) for groups in replacements[target]}
        if target in kept:
            choices.add((GROUP + target.encode(),))
        if len(choices) > 1:
            raise ColocationError(_ambiguous(nodes[0], target, choices))
        result[target] = list(choices.pop())
    return result


def _ambiguous(node: str, target: str, choices: Iterable[tuple[bytes, ...]]) -> str:
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
        nodes: all nodes of the graph by name.
        inputs: the names of the input tensors per signature.

    Raises:
        ColocationError: names the signature, the tensor and the op.
    """
    for signature, tensors in inputs.items():
        for tensor in tensors:
            for target in constrained_to(nodes[op_name(tensor)]):
                raise ColocationError(
                    f"Input '{tensor}' of signature '{signature}' is colocated with op '{target}'. "
                    "A consumer decides where inputs are: create the input outside of "
                    "tf.colocate_with()."
                )


def check_state(nodes: Mapping[str, tf.compat.v1.NodeDef], state_ops: Collection[str]) -> None:
    """Checks that state is colocated with other state only.

    Raises:
        ColocationError: names the two ops.
    """
    for name in state_ops:
        for target in constrained_to(nodes[name]):
            if target not in state_ops:
                raise ColocationError(
                    f"State op '{name}' is colocated with op '{target}', which is no state: it is "
                    "in the graph once per application of the module. Create the variable or table "
                    "outside of tf.colocate_with()."
                )

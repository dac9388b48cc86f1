"""Finds the nodes that use the queues, readers and variables of a program."""

from __future__ import annotations

from tensorflow.core.framework import node_def_pb2
from tensorflow.core.framework.types_pb2 import DT_RESOURCE

from hubmodule.auditing.graphs import Body, Program, parse_tensor
from hubmodule.auditing.ops import ENQUEUES, QUEUE_READS, READERS

_QUEUES = """
FIFOQueue FIFOQueueV2 PaddingFIFOQueue PaddingFIFOQueueV2 PriorityQueue PriorityQueueV2
RandomShuffleQueue RandomShuffleQueueV2
"""
_MAKERS = frozenset({"VarHandleOp", *_QUEUES.split(), *READERS})
_OTHER_USERS = """
AssignVariableOp Identity QueueClose QueueCloseV2 QueueDequeue QueueDequeueMany QueueDequeueManyV2
QueueDequeueUpTo QueueDequeueUpToV2 QueueDequeueV2 QueueIsClosed QueueIsClosedV2 QueueSize
QueueSizeV2 ReadVariableOp VarIsInitializedOp
"""
# Ops that use a resource and do not pass its handle to other ops, except through Identity.
_KNOWN_USERS = frozenset({*_OTHER_USERS.split(), *ENQUEUES, *QUEUE_READS})
# Ops that can make the handle of any resource, whatever node makes the resource -> the attribute
# with the type of what they make.
_FORGERS = {"Const": "dtype", "ParseTensor": "out_type"}


class ResourceIndex:
    """An index of the nodes that make and use resources.

    Args:
        program: The program of a graph variant.
    """

    def __init__(self, program: Program):
        # Nodes of all bodies with the same shared name, or the same name, make the same resource.
        self._has_forged_handles = False
        self._makers: dict[str, set[str]] = {}
        for body in program.bodies:
            for node in body.nodes:
                if node.op == "_VarHandlesOp" or _makes_handle(node):
                    self._has_forged_handles = True
                elif node.op in _MAKERS:
                    key = name_resource(node)
                    self._makers.setdefault(key, set()).add(body.function)
        self._found: dict[str, dict[str, str]] = {}
        self._users: dict[str, dict[str, list[node_def_pb2.NodeDef]]] = {}

    def find_resource(self, body: Body, node: node_def_pb2.NodeDef, position: int) -> str:
        """Returns the name of the resource that an input of a node is; "" if it is not known.

        Args:
            body: The body that contains the node.
            node: The node.
            position: The index of the input among the data inputs of the node.
        """
        references = body.list_data_inputs(node)
        if position >= len(references):
            return ""
        return self.follow_handle(body, parse_tensor(references[position]).node)

    def follow_handle(self, body: Body, name: str) -> str:
        """Returns the name of the resource whose handle a node has; "" if it is not known.

        Args:
            body: The body that contains the node.
            name: The name of the node.
        """
        found = self._found.setdefault(body.function, {})
        way = []
        while name not in found:
            maker = body.by_name.get(name)
            found[name] = ""  # stays if the handle comes from a loop
            way.append(name)
            if maker is not None and maker.op in _MAKERS:
                found[name] = name_resource(maker)
            elif maker is not None and maker.op == "Identity" and body.list_data_inputs(maker):
                name = parse_tensor(body.list_data_inputs(maker)[0]).node
        found.update(dict.fromkeys(way, found[name]))
        return found[name]

    def list_users(self, body: Body, resource: str) -> list[node_def_pb2.NodeDef]:
        """Lists the nodes of a body that use a resource."""
        if body.function not in self._users:
            users: dict[str, list[node_def_pb2.NodeDef]] = {}
            for node in body.nodes:
                inputs = range(len(body.list_data_inputs(node)))
                for used in {self.find_resource(body, node, position) for position in inputs} - {
                    ""
                }:
                    users.setdefault(used, []).append(node)
            self._users[body.function] = users
        return self._users[body.function].get(resource, [])

    def has_hidden_users(self, body: Body, resource: str) -> bool:
        """Whether a resource may have users that `list_users` does not list."""
        if self._has_forged_handles or self._makers.get(resource) != {body.function}:
            return True
        return any(node.op not in _KNOWN_USERS for node in self.list_users(body, resource))


def name_resource(maker: node_def_pb2.NodeDef) -> str:
    """Returns the name of the resource that a node makes; "" if it is not known."""
    shared = maker.attr["shared_name"].s if "shared_name" in maker.attr else b""
    # All variables without a shared name are one variable; queues and readers without one are not.
    default = "" if maker.op == "VarHandleOp" else maker.name
    return shared.decode(errors="backslashreplace") or default


def _makes_handle(node: node_def_pb2.NodeDef) -> bool:
    """Whether a node makes the handle of a resource from a constant or a string."""
    attribute = _FORGERS.get(node.op)
    if attribute is None or attribute not in node.attr:
        return False
    value = node.attr[attribute]
    return value.type == DT_RESOURCE or value.WhichOneof("value") == "placeholder"

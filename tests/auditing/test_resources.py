"""Tests of hubmodule.auditing.resources."""

from __future__ import annotations

import sys

import pytest

from hubmodule.auditing.graphs import Program
from hubmodule.auditing.resources import ResourceIndex, name_resource
from tests.auditing.protos import NodeDef, function, meta_graph, node


def resources_of(*nodes: NodeDef, **arguments: object) -> tuple[Program, ResourceIndex]:
    program = Program(meta_graph(nodes, **arguments))
    return program, ResourceIndex(program)


def test_the_name_is_the_shared_one() -> None:
    assert name_resource(node("q", "FIFOQueueV2", shared_name="s")) == "s"
    assert name_resource(node("q", "FIFOQueueV2", shared_name="")) == "q"


def test_a_handle_is_followed_through_identities() -> None:
    use = node("use", "QueueSizeV2", "b")
    program, resources = resources_of(
        node("q", "FIFOQueueV2"), node("a", "Identity", "q"), node("b", "Identity", "a"), use
    )
    assert resources.find_resource(program.graph, use, 0) == "q"
    assert [user.name for user in resources.list_users(program.graph, "q")] == ["a", "b", "use"]
    assert not resources.has_hidden_users(program.graph, "q")


def test_a_handle_from_elsewhere_is_not_known() -> None:
    use = node("use", "QueueSizeV2", "b")
    program, resources = resources_of(node("b", "Switch", "q"), node("q", "FIFOQueueV2"), use)
    assert resources.find_resource(program.graph, use, 0) == ""
    assert resources.find_resource(program.graph, use, 1) == ""
    assert resources.has_hidden_users(program.graph, "q")  # Switch passes it on


def test_identities_in_a_circle_end() -> None:
    use = node("use", "QueueSizeV2", "a")
    program, resources = resources_of(node("a", "Identity", "b"), node("b", "Identity", "a"), use)
    assert resources.find_resource(program.graph, use, 0) == ""


def test_a_resource_of_two_bodies_has_hidden_users() -> None:
    body = function("f", {}, [node("v", "VarHandleOp", shared_name="q")], {})
    program, resources = resources_of(node("q", "VarHandleOp", shared_name="q"), functions=[body])
    assert resources.has_hidden_users(program.graph, "q")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of hubmodule.inspection.scope_sizes."""

from __future__ import annotations

import sys

import pytest

from hubmodule.inspection.scope_sizes import build_scopes, find_common_scope, find_largest_scopes
from tests.inspection.modules import variable

TREE = [variable("a/x", 40), variable("a/y", 20), variable("b/c/z", 8), variable("w", None)]


def sizes(most: int, variables=TREE) -> list[tuple[str, int]]:
    return [
        (scope.name, scope.bytes) for scope in find_largest_scopes(build_scopes(variables), most)
    ]


def test_the_largest_scopes_are_divided() -> None:
    assert sizes(3) == [("a/", 60), ("b/c/z", 8), ("w", 0)]
    assert sizes(4) == [("a/x", 40), ("a/y", 20), ("b/c/z", 8), ("w", 0)]


def test_too_many_of_one_scope() -> None:
    many = [variable(f"v{number}", 4 * number) for number in range(9)]
    assert sizes(3, many) == [("v8", 32), ("v7", 28), ("7 others", 84)]


def test_no_variables() -> None:
    assert sizes(3, []) == [("", 0)]


@pytest.mark.parametrize(
    ("names", "common"),
    [
        (["a/b/x", "a/b/c/y"], "a/b/"),
        (["a/b/x", "a/y"], "a/"),
        (["a/x", "b/y"], ""),
        (["a/x"], "a/"),
        (["x"], ""),
        ([], ""),
    ],
)
def test_the_scope_of_all_variables(names: list[str], common: str) -> None:
    root = build_scopes(variable(name) for name in names)
    assert find_common_scope(root).name == common


def test_names_with_very_many_scopes() -> None:
    root = build_scopes([variable("/".join("x" * 10_000), 4)])
    assert root.bytes == 4


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

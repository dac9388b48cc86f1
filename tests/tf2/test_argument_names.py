"""argument_names: the Python arguments of saved signatures."""

from __future__ import annotations

import sys

import pytest

from hubmodule.tf2.argument_names import choose_arguments, choose_key


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("sentences", "sentences"),
        ("tensor_dict$grid_coords", "tensor_dict_grid_coords"),
        ("a/b", "a_b"),
        ("a-b", "a_b"),
        ("x.y", "x_y"),
        ("x:0", "x_0"),
        ("a b", "a_b"),
        ("1x", "arg_1x"),
        ("_x", "arg__x"),
        ("é", "arg__"),
        ("", "arg_"),
        ("class", "class_"),
        ("self", "self_"),
    ],
)
def test_a_name_becomes_an_identifier(name: str, argument: str) -> None:
    assert choose_arguments([name]) == {name: argument}


def test_names_that_would_be_one_argument_are_numbered() -> None:
    assert choose_arguments(["a/b", "a$b", "a_b"]) == {"a_b": "a_b", "a$b": "a_b_1", "a/b": "a_b_2"}


def test_case_alone_does_not_tell_arguments_apart() -> None:
    assert choose_arguments(["x", "X"]) == {"X": "X", "x": "x_1"}


@pytest.mark.parametrize(
    ("name", "argument", "key"),
    [
        ("a/b", "a_b", "a/b"),
        ("a/b", "a_b_1", "a_b_1"),
        ("a$b", "a_b", "a_b"),
        ("class", "class_", "class_"),
        ("x", "x", "x"),
    ],
)
def test_the_name_is_the_key_if_tensorflow_accepts_it(name: str, argument: str, key: str) -> None:
    assert choose_key(name, argument) == key


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

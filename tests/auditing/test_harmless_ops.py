"""Tests of hubmodule.auditing.harmless_ops."""

from __future__ import annotations

import sys

import pytest
from tensorflow.core.framework import op_def_pb2
from tensorflow.core.framework.types_pb2 import DT_INT64, DT_STRING

from hubmodule.auditing.harmless_ops import HARMLESS_OPS, find_suspicious_names
from tests.auditing.registry import registered_ops


@pytest.mark.parametrize("name", ["filename", "log_dir", "server_address", "file2", "new_url"])
def test_an_input_is_suspicious(name: str) -> None:
    op_def = op_def_pb2.OpDef(name="Op")
    op_def.input_arg.add(name=name, type=DT_STRING)
    assert list(find_suspicious_names(op_def)) == [name]


def test_an_input_that_is_no_string_is_not() -> None:
    op_def = op_def_pb2.OpDef(name="Op")
    op_def.input_arg.add(name="path", type=DT_INT64)
    op_def.input_arg.add(name="values", type=DT_STRING)
    assert list(find_suspicious_names(op_def)) == []


@pytest.mark.parametrize(
    ("kind", "expected"), [("string", ["token"]), ("list(string)", ["token"]), ("func", [])]
)
def test_an_attribute_is_suspicious_if_it_is_text(kind: str, expected: list[str]) -> None:
    op_def = op_def_pb2.OpDef(name="Op")
    op_def.attr.add(name="token", type=kind)
    assert list(find_suspicious_names(op_def)) == expected


@pytest.mark.parametrize("op", sorted(HARMLESS_OPS.keys() & registered_ops().keys()))
def test_a_listed_op_needs_its_row(op: str) -> None:
    assert list(find_suspicious_names(registered_ops()[op]))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

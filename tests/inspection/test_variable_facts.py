"""Tests of hubmodule.inspection.variable_facts."""

from __future__ import annotations

import shutil
import sys

import pytest

from hubmodule.inspection.inspect import inspect
from tests.inspection.modules import golden, meta_graph, write_module


def variables(path: str) -> dict:
    return {variable.name: variable for variable in inspect(path).variables}


def test_variables_of_several_variants() -> None:
    found = variables(golden("batch_norm"))
    gamma = found["norm/gamma"]
    assert (gamma.dtype, gamma.bytes, gamma.partitions) == ("float32", 12, 1)
    assert gamma.variants == ((), ("train",))
    assert gamma.trainable_in == ((), ("train",))
    assert found["norm/moving_mean"].trainable_in == ()


def test_partitioned_variables() -> None:
    rows = variables(golden("partitioned"))["table/rows"]
    assert (rows.shape, rows.bytes, rows.partitions) == ((7, 4), 112, 3)


def test_reference_variables() -> None:
    assert {v.dtype for v in variables(golden("ref_variables")).values()} <= {"float32", "int32"}


def test_a_variable_without_a_value(tmp_path) -> None:
    facts = inspect(write_module(tmp_path, meta_graph()))
    (variable,) = facts.variables
    assert (variable.name, variable.shape, variable.bytes) == ("x/w", (2, 3), 24)
    assert variable.digest is None
    assert facts.damage == ("The checkpoint has no value for 1 of 1 variables, 'x/w' among them.",)


def test_a_value_without_a_variable(tmp_path) -> None:
    shutil.copytree(golden("batch_norm"), tmp_path, dirs_exist_ok=True)
    found = variables(write_module(tmp_path, meta_graph()))
    assert found["norm/gamma"].variants == ()
    assert found["norm/gamma"].bytes == 12


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""constants: those that TensorFlow does not survive."""

from __future__ import annotations

import sys

import pytest

from hubmodule.errors import ModuleFormatError
from hubmodule.surgery.constants import check_constant
from tests.surgery.protos import node_def


def constant(dtype: str, value_dtype: str, *sizes: int):
    dimensions = "".join(f"dim {{ size: {size} }}" for size in sizes)
    return node_def(f"""
        name: "c" op: "Const"
        attr {{ key: "dtype" value {{ type: {dtype} }} }}
        attr {{ key: "value" value {{ tensor {{
            dtype: {value_dtype} tensor_shape {{ {dimensions} }} }} }} }}""")


@pytest.mark.parametrize("sizes", [(), (0,), (3, 4), (2**20, 2**19), (1,) * 40])
def test_a_constant_of_one_type_will_do(sizes):
    check_constant(constant("DT_FLOAT", "DT_FLOAT", *sizes))


def test_a_value_of_another_type_is_refused():
    with pytest.raises(ModuleFormatError, match=r"'c' has a value of type bool.* as int32"):
        check_constant(constant("DT_INT32", "DT_BOOL"))


def test_a_type_that_nobody_knows_is_shown_as_its_number():
    node = constant("DT_INT32", "DT_INT32")
    node.attr["dtype"].type = 1_000_000_000
    with pytest.raises(ModuleFormatError, match="int32, but is declared as 1000000000"):
        check_constant(node)


@pytest.mark.parametrize("sizes", [(2**40,), (2**20, 2**20), (2**10,) * 4])
def test_a_value_larger_than_any_memory_is_refused(sizes):
    with pytest.raises(ModuleFormatError, match="larger than any memory"):
        check_constant(constant("DT_FLOAT", "DT_FLOAT", *sizes))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

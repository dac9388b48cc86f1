"""names: ops, tensors and inputs as GraphDefs spell them."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubmodule.surgery import names

# What TensorFlow allows as the name of an op.
OPS = st.from_regex(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>\-]{0,12}", fullmatch=True)
REFERENCES = st.one_of(
    OPS,
    st.builds("^{}".format, OPS),
    st.builds("{}:{}".format, OPS, st.integers(0, 99)),
)


@pytest.mark.parametrize("reference", ["a/b", "a/b:0", "a/b:12", "^a/b"])
def test_every_reference_to_an_op_gives_its_name(reference):
    assert names.get_op_name(reference) == "a/b"


@pytest.mark.parametrize(("reference", "tensor"), [("a", "a:0"), ("a:0", "a:0"), ("a:3", "a:3")])
def test_an_input_without_an_index_is_output_0(reference, tensor):
    assert names.get_tensor_name(reference) == tensor


@pytest.mark.parametrize(("reference", "control"), [("^a", True), ("a", False), ("a:1", False)])
def test_control_inputs_begin_with_a_caret(reference, control):
    assert names.is_control(reference) is control


@pytest.mark.parametrize(
    ("reference", "moved"), [("a", "s/t/a"), ("a:1", "s/t/a:1"), ("^a", "^s/t/a")]
)
def test_moving_keeps_the_kind_of_a_reference(reference, moved):
    assert names.add_scope("s/t/", reference) == moved


@given(REFERENCES)
def test_the_empty_scope_moves_nothing(reference):
    assert names.add_scope("", reference) == reference


@given(REFERENCES, OPS)
def test_moving_a_reference_moves_its_op(reference, scope):
    moved = names.add_scope(scope + "/", reference)
    assert names.get_op_name(moved) == f"{scope}/{names.get_op_name(reference)}"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

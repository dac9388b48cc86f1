"""calls: of functions that are missing, do not fit, or have no end."""

from __future__ import annotations

import sys

import pytest

from hubmodule.errors import ModuleFormatError
from hubmodule.surgery.calls import check_calls
from tests.surgery.protos import graph_def

TYPES = {"Identity", "If", "PartitionedCall", "While"}


def function(name: str, takes: str, gives: str, nodes: str = "") -> str:
    arguments = "".join(f'input_arg {{ name: "i" type: {dtype} }}' for dtype in takes.split())
    results = "".join(f'output_arg {{ name: "o" type: {dtype} }}' for dtype in gives.split())
    return f'function {{ signature {{ name: "{name}" {arguments} {results} }} {nodes} }}'


def loop(field: str, condition: str, body: str, dtype: str = "DT_FLOAT", expanded: str = "") -> str:
    marked = f'attr {{ key: "_lower_using_switch_merge" value {{ b: {expanded} }} }}'
    return f"""{field} {{ name: "loop" op: "While"
        attr {{ key: "cond" value {{ func {{ name: "{condition}" }} }} }}
        attr {{ key: "body" value {{ func {{ name: "{body}" }} }} }}
        attr {{ key: "T" value {{ list {{ type: {dtype} }} }} }} {marked if expanded else ""} }}"""


CONDITION = function("c", "DT_FLOAT", "DT_BOOL")
BODY = function("b", "DT_FLOAT", "DT_FLOAT")


def check(text: str) -> None:
    check_calls(graph_def(text), TYPES)


def test_a_loop_whose_functions_fit_will_do():
    check(f"{loop('node', 'c', 'b')} library {{ {CONDITION} {BODY} }}")


def test_an_op_can_take_the_place_of_a_function():
    check(f"{loop('node', 'c', 'Identity')} library {{ {CONDITION} }}")


@pytest.mark.parametrize("missing, there", [("b", CONDITION), ("c", BODY)])
def test_a_missing_function_is_named(missing, there):
    with pytest.raises(ModuleFormatError, match=f"Op 'loop' of type While calls .*'{missing}'"):
        check(f"{loop('node', 'c', 'b')} library {{ {there} }}")


def test_all_functions_may_be_missing():
    with pytest.raises(ModuleFormatError, match="is not in the module's graph"):
        check(loop("node", "c", "b"))


def test_the_caller_may_be_in_a_function():
    outer = function("outer", "", "", loop("node_def", "c", "gone"))
    with pytest.raises(ModuleFormatError, match="'loop' of type While in function 'outer' calls"):
        check(f"library {{ {outer} {CONDITION} }}")


@pytest.mark.parametrize(
    "body", [("", "DT_FLOAT"), ("DT_FLOAT", ""), ("DT_INT32", "DT_FLOAT"), ("DT_FLOAT", "DT_INT32")]
)
def test_a_body_of_other_types_is_refused(body):
    with pytest.raises(
        ModuleFormatError, match="calls function 'b' with other argument or result types"
    ):
        check(f"{loop('node', 'c', 'b')} library {{ {CONDITION} {function('b', *body)} }}")


def test_a_condition_with_two_results_is_refused():
    condition = function("c", "DT_FLOAT", "DT_BOOL DT_BOOL")
    with pytest.raises(ModuleFormatError, match="calls function 'c'"):
        check(f"{loop('node', 'c', 'b')} library {{ {condition} {BODY} }}")


def test_expansion_within_itself_is_refused():
    body = function("b", "DT_FLOAT", "DT_FLOAT", loop("node_def", "c", "b", expanded="true"))
    with pytest.raises(ModuleFormatError, match=r"functions \['b'\] call each other without end"):
        check(f"{loop('node', 'c', 'b', expanded='true')} library {{ {CONDITION} {body} }}")


def test_recursion_that_is_not_expanded_will_do():
    """TensorFlow 1 has functions that call themselves, and run as long as they have to."""
    body = function("b", "DT_FLOAT", "DT_FLOAT", loop("node_def", "c", "b"))
    check(f"{loop('node', 'c', 'b')} library {{ {CONDITION} {body} }}")


def test_functions_that_are_called_twice_have_an_end():
    calls = "".join(loop("node_def", "c", "b", expanded="true") for _ in range(2))
    outer = function("outer", "DT_FLOAT", "DT_FLOAT", calls)
    check(f"{loop('node', 'c', 'outer', expanded='true')} library {{ {CONDITION} {BODY} {outer} }}")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

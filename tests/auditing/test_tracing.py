"""Tests of hubmodule.auditing.tracing: long ways, loops and many values."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.auditing.names import TOO_LONG, TOO_MANY, Name, Source
from hubmodule.auditing.origins import Origins, Place
from tests.auditing.protos import audit_of, constant, function, meta_graph, node, placeholder
from tests.auditing.reading import CALL, PASSWD, graph_of, names


def test_joins_that_double_do_not_grow() -> None:
    joins = [node(f"j{i}", "StringJoin", f"j{i - 1}", f"j{i - 1}", N=2) for i in range(1, 60)]
    found = names(constant("j0", "x" * 1000), *joins, node("name", "Identity", "j59"))
    assert {name.source for name in found} == {Source.COMPUTED}


def test_a_very_long_way_is_followed_to_its_end() -> None:
    steps = [node(f"i{i}", "Identity", f"i{i - 1}") for i in range(1, 5000)]
    found = names(constant("i0", "/etc/passwd"), *steps, node("name", "Identity", "i4999"))
    assert found == {PASSWD}


def test_a_circle_ends() -> None:
    assert names(node("name", "Identity", "other"), node("other", "Identity", "name")) == {
        Name(Source.COMPUTED, "by an input that the node lacks")
    }


def test_a_join_in_a_loop_ends() -> None:
    loop = [node("merge", "Merge", "c", "next"), node("next", "StringJoin", "merge", "c", N=2)]
    found = names(constant("c", "/etc"), *loop, node("name", "Identity", "merge"))
    assert found == {Name(Source.CONSTANT, "/etc"), TOO_LONG}


def test_a_foreign_path_among_many_harmless_names() -> None:
    many = [constant(f"c{i}", "") for i in range(200)]
    parts = [*many, constant("last", "/etc/passwd")]
    join = node("name", "Pack", *[part.name for part in parts], N=len(parts), T=tf.string)
    assets = {f"c{i}:0": f"v{i}.txt" for i in range(200)}
    assert TOO_MANY in names(*parts, join, assets=assets)


def test_a_foreign_path_after_many_equal_strings() -> None:
    assert PASSWD in names(constant("name", [""] * 200 + ["/etc/passwd"]))


def test_a_foreign_path_after_many_joined_parts() -> None:
    parts = [constant("empty", ""), constant("c", "/etc/passwd")]
    join = node("name", "StringJoin", *["empty"] * 200, "c", N=201)
    assert names(*parts, join) == {TOO_LONG}


def test_the_choices_of_joined_parts_have_an_end() -> None:
    digits = constant("digits", [str(i) for i in range(10)])
    join = node("name", "StringJoin", *["digits"] * 9, N=9)
    found = names(digits, join)
    assert TOO_MANY in found
    assert len(found) < 200


def test_joined_names_take_little_memory() -> None:
    choices = constant("choices", [str(i) for i in range(50)])
    nodes = [choices, constant("j0", "x" * 4000)]
    for i in range(1, 2000):
        nodes.append(node(f"j{i}", "StringJoin", "j0", "choices", N=2))
        nodes.append(node(f"read{i}", "ReadFile", f"j{i}"))
    outputs = {str(i): f"read{i}:0" for i in range(1, 2000)}
    found = audit_of(meta_graph(nodes, {}, outputs)).findings
    assert len(found) == 1999
    assert sum(len(name.value) for finding in found for name in finding.names) < 20_000_000


def test_dataset_components_times_datasets_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function of many arguments that maps a long pipeline would make a place for each pair."""
    asked: list[Place] = []
    real = Origins.find_origins
    monkeypatch.setattr(
        Origins, "find_origins", lambda self, place: asked.append(place) or real(self, place)
    )
    count = 300
    arguments = {f"a{i}": tf.string for i in range(count)}
    reads = [node(f"read{i}", "ReadFile", f"a{i}") for i in range(count)]
    inner = function("f", arguments, reads, {"y": "a0"})
    source = node("d0", "TensorSliceDataset", *["c"] * count, Toutput_types=[tf.string] * count)
    pipeline = [node(f"d{i}", "RepeatDataset", f"d{i - 1}", "n") for i in range(1, count)]
    mapped = node("read", "MapDataset", f"d{count - 1}", Targuments=[], f="@f")
    parts = [constant("c", ["/etc/passwd"]), constant("n", 1, tf.int64), source, *pipeline, mapped]
    audit_of(graph_of(*parts, functions=[inner]))
    assert len(asked) < 20_000


class TestAttributes:
    def test_an_attribute_that_the_op_lacks_hides_no_input(self) -> None:
        read = node("read", "ReadFile", "name", filename="")
        assert names(constant("name", "/etc/passwd"), read) == {PASSWD}

    def test_a_parameter_of_the_function(self) -> None:
        sampler = node("sampler", "FixedUnigramCandidateSampler", "argument")
        sampler.attr["vocab_file"].placeholder = "file"
        body = function("f", {"argument": tf.int64}, [sampler], {"y": "argument"})
        call = node("read", "PartitionedCall", "x", **CALL)
        assert names(placeholder("x"), call, functions=[body]) == {
            Name(Source.COMPUTED, "by attribute 'file' of the function")
        }


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of hubmodule.auditing.names."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.auditing.names import (
    TOO_LONG,
    Name,
    Source,
    join_names,
    make_constant,
    read_attribute,
    read_constant,
)
from tests.auditing.protos import NodeDef, constant, node

CHECKPOINT = Name(Source.CHECKPOINT, "the checkpoint")


def constant_of(value: str) -> Name:
    return Name(Source.CONSTANT, value)


def test_a_constant_that_is_no_text() -> None:
    assert make_constant(b"/a\xff") == constant_of("/a\\xff")


def test_a_constant_that_is_too_long_for_a_path() -> None:
    assert make_constant(b"/m/" + b"x" * 5000).source is Source.COMPUTED


class TestJoining:
    def test_constants(self) -> None:
        assert join_names([constant_of("/etc"), constant_of("passwd")], "/") == constant_of(
            "/etc/passwd"
        )

    def test_nothing(self) -> None:
        assert join_names([], "").source is Source.COMPUTED

    def test_a_file_beside_the_checkpoint(self) -> None:
        assert join_names([CHECKPOINT, constant_of("_temp/part")], "") == CHECKPOINT

    def test_a_dot_that_a_next_join_would_complete(self) -> None:
        joined = CHECKPOINT
        for part in ("/.", "./.", "./tmp"):
            joined = join_names([joined, constant_of(part)], "")
        assert joined.source is Source.COMPUTED

    @pytest.mark.parametrize(
        ("separator", "part"), [("", "/../../etc/passwd"), ("/../../", "x"), (".", "./x")]
    )
    def test_a_file_elsewhere(self, separator: str, part: str) -> None:
        joined = join_names([CHECKPOINT, constant_of(part)], separator)
        assert joined.source is Source.COMPUTED

    def test_too_much(self) -> None:
        assert join_names([constant_of("x" * 4000)] * 2, "") == TOO_LONG


class TestConstants:
    def packed(self, content: bytes, *shape: int) -> NodeDef:
        """A constant of strings in the form that has all in one field."""
        result = node("c", "Const", dtype=tf.string)
        tensor = result.attr["value"].tensor
        tensor.dtype = tf.string.as_datatype_enum
        tensor.tensor_shape.CopyFrom(tf.TensorShape(shape).as_proto())
        tensor.tensor_content = content
        return result

    def test_strings(self) -> None:
        found = list(read_constant(constant("c", ["/a", "/b", "/a"])))
        assert found == [constant_of("/a"), constant_of("/b")]

    def test_packed_strings(self) -> None:
        content = bytes([2, 0x81, 0x01]) + b"/a" + b"x" * 129
        found = list(read_constant(self.packed(content, 2)))
        assert found == [constant_of("/a"), constant_of("x" * 129)]

    def test_tensorflow_reads_packed_strings_the_same_way(self) -> None:
        one = self.packed(bytes([2, 3]) + b"/a/bc", 2)
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            graph = tf.compat.v1.GraphDef(node=[one])
            (tensor,) = tf.import_graph_def(graph, return_elements=["c:0"])
            assert session.run(tensor).tolist() == [b"/a", b"/bc"]
        assert list(read_constant(one)) == [constant_of("/a"), constant_of("/bc")]

    def test_the_size_of_a_packed_string_has_32_bits(self) -> None:
        one = self.packed(b"\x83\x80\x80\x80\x10\x02/m//x", 2)  # 2**32 + 3, 2
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            graph = tf.compat.v1.GraphDef(node=[one])
            (tensor,) = tf.import_graph_def(graph, return_elements=["c:0"])
            assert session.run(tensor).tolist() == [b"/m/", b"/x"]
        assert list(read_constant(one)) == [constant_of("/m/"), constant_of("/x")]

    @pytest.mark.parametrize("content", [b"\xff\xff", b"\x05", b"\xff" * 400])
    def test_damaged_packed_strings_are_read_as_far_as_they_go(self, content: bytes) -> None:
        assert {name.value for name in read_constant(self.packed(content, 1 << 40))} == {""}

    def test_numbers(self) -> None:
        (found,) = read_constant(constant("c", 1, tf.int32))
        assert found.source is Source.COMPUTED


class TestAttributes:
    def test_strings(self) -> None:
        one = node("n", "Op", a="/a", b=["/b", "/c"])
        assert read_attribute(one.attr["a"]) == [constant_of("/a")]
        assert read_attribute(one.attr["b"]) == [constant_of("/b"), constant_of("/c")]

    def test_a_parameter_of_the_function(self) -> None:
        one = node("n", "Op")
        one.attr["a"].placeholder = "p"
        (found,) = read_attribute(one.attr["a"])
        assert found.source is Source.COMPUTED

    def test_a_number(self) -> None:
        (found,) = read_attribute(node("n", "Op", a=1).attr["a"])
        assert found.source is Source.COMPUTED


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

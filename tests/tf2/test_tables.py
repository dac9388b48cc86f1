"""tables: resources of a graph as objects."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.tf2 import tables
from hubmodule.tf2.tables import Table
from tests.surgery.protos import node_def

NODE = """name: "scope/t" op: "HashTableV2"
    attr { key: "shared_name" value { s: "known" } }
    attr { key: "key_dtype" value { type: DT_STRING } }
    attr { key: "value_dtype" value { type: DT_INT64 } }"""


def table(**contents: int) -> Table:
    """A table with these contents."""
    result = Table(node_def(NODE))

    def fill():
        handle = tf.compat.v1.get_default_graph().capture(result.resource_handle)
        tf.raw_ops.InitializeTableV2(
            table_handle=handle,
            keys=list(contents),
            values=tf.constant(list(contents.values()), tf.int64),
        )

    result.set_initialisers([fill])
    return result


def make_and_fill(*made: Table) -> None:
    tables.make_resources(made)
    tables.fill(made)


def found(handle: tf.Tensor, key: str) -> tf.Tensor:
    """What a table has for a key; else -1."""
    return tf.raw_ops.LookupTableFindV2(
        table_handle=handle, keys=key, default_value=tf.constant(-1, tf.int64)
    )


def test_a_table_is_filled_when_it_is_initialised():
    made = table(a=3, b=5)
    make_and_fill(made)
    assert [found(made.resource_handle, key).numpy() for key in "abc"] == [3, 5, -1]


def test_tables_of_one_name_are_not_shared():
    first, second = table(a=3), table(a=4)
    make_and_fill(first, second)
    assert [found(made.resource_handle, "a").numpy() for made in (first, second)] == [3, 4]


def test_many_tables_are_no_reason_to_warn(caplog):
    for _ in range(8):
        make_and_fill(table(a=3))
    assert "retracing" not in caplog.text


def test_all_tables_are_made_and_filled_in_one_function_each(monkeypatch):
    traced = []
    function = tf.function
    monkeypatch.setattr(tf, "function", lambda f, **kw: traced.append(f) or function(f, **kw))
    make_and_fill(*(table(a=number) for number in range(5)))
    assert len(traced) == 2


def test_without_initialisers_a_table_is_made_and_empty():
    made = Table(node_def(NODE.replace("HashTableV2", "MutableHashTableV2")))
    make_and_fill(made)
    assert tf.raw_ops.LookupTableSizeV2(table_handle=made.resource_handle).numpy() == 0


def test_in_a_graph_it_is_filled_with_the_other_tables():
    with tf.Graph().as_default():
        made = table(a=3)
        make_and_fill(made)
        value = found(made.resource_handle, "a")
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.tables_initializer())
            assert session.run(value) == 3


def test_a_saved_table_is_filled_when_it_is_loaded(tmp_path):
    holder = tf.Module()
    holder.table = table(a=3)
    make_and_fill(holder.table)
    holder.find = tf.function(
        lambda key: found(holder.table.resource_handle, key), [tf.TensorSpec([], tf.string)]
    )
    tf.saved_model.save(holder, str(tmp_path))
    assert tf.saved_model.load(str(tmp_path)).find(tf.constant("a")).numpy() == 3


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

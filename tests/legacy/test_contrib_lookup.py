"""Tables, as `tf.contrib.lookup` made them."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.legacy import contrib_lookup


def look_up(make_table, keys, dtype=None):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        values = make_table().lookup(tf.constant(keys, dtype))
        session.run(tf.compat.v1.tables_initializer())
        return session.run(values).tolist()


@pytest.fixture
def vocabulary(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("a\nb\nc\n")
    return str(path)


def test_words_of_a_file(vocabulary):
    make = contrib_lookup.index_table_from_file
    assert look_up(lambda: make(vocabulary), ["b", "z"]) == [1, -1]
    assert look_up(lambda: make(vocabulary, default_value=9, vocab_size=1), ["a", "b"]) == [0, 9]
    assert look_up(lambda: make(vocabulary, num_oov_buckets=1), ["c", "z"]) == [2, 3]


def test_columns_of_a_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("5,x\n7,y\n")
    columns = {"key_column_index": 1, "value_column_index": 0, "delimiter": ","}
    make = contrib_lookup.index_table_from_file
    assert look_up(lambda: make(str(path), **columns), ["y"]) == [7]


def test_items_of_a_tensor():
    make = contrib_lookup.index_table_from_tensor
    assert look_up(lambda: make(mapping=["a", "b"]), ["b", "z"]) == [1, -1]
    assert look_up(lambda: make(["a", "b"], num_oov_buckets=1), ["z"]) == [2]
    assert look_up(lambda: make([10, 20], dtype=tf.int64), [20], tf.int64) == [1]


def test_texts_of_indices(vocabulary):
    make = contrib_lookup.index_to_string_table_from_file
    assert look_up(lambda: make(vocabulary), [2, 3], tf.int64) == [b"c", b"UNK"]
    make_from_tensor = contrib_lookup.index_to_string_table_from_tensor
    assert look_up(lambda: make_from_tensor(["x"], default_value="?"), [2], tf.int64) == [b"?"]


def test_a_table_of_pairs():
    def make():
        pairs = tf.lookup.KeyValueTensorInitializer(["a"], [5])
        return contrib_lookup.HashTable(pairs, -1, shared_name="ignored", name="table")

    assert look_up(make, ["a", "b"]) == [5, -1]


def test_another_hash_is_refused(vocabulary):
    with pytest.raises(ValueError, match="hasher_spec is not supported"):
        contrib_lookup.index_table_from_file(vocabulary, hasher_spec=object())


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""`tf.contrib.lookup`: tables with the arguments that they had in TensorFlow 1."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_LOOKUP = tf.compat.v1.lookup
_WHOLE_LINE = tf.lookup.TextFileIndex.WHOLE_LINE
_LINE_NUMBER = tf.lookup.TextFileIndex.LINE_NUMBER


def HashTable(
    initializer: Any, default_value: Any, shared_name: Any = None, name: Any = None
) -> Any:
    """Makes a table that does not change after its initialisation.

    Args:
        initializer: A table initializer, such as `KeyValueTensorInitializer`.
        default_value: Value of missing keys.
        shared_name: Ignored: the table is shared under its own name.
        name: Name of the table's op.
    """
    del shared_name
    return _LOOKUP.StaticHashTable(initializer, default_value, name=name)


def index_table_from_file(
    vocabulary_file: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    hasher_spec: Any = None,
    key_dtype: Any = tf.string,
    name: str | None = None,
    key_column_index: int = _WHOLE_LINE,
    value_column_index: int = _LINE_NUMBER,
    delimiter: str = "\t",
) -> Any:
    """Makes a table from the lines of a file to their indices, int64.

    Args:
        vocabulary_file: Path of the file.
        num_oov_buckets: Number of indices after the last line for other keys, by their hash.
        vocab_size: Number of lines to use; None for all.
        default_value: Index of other keys, if `num_oov_buckets` is 0.
        hasher_spec: Must be None: keys are hashed by FastHashSpec.
        key_dtype: Data type of the keys: tf.string, or an integer type.
        name: Name of the table's op.
        key_column_index: Column of the keys.
        value_column_index: Column of the values.
        delimiter: Character between columns.
    """
    _check_hasher(hasher_spec)
    initializer = tf.lookup.TextFileInitializer(
        vocabulary_file,
        tf.int64 if tf.as_dtype(key_dtype).is_integer else key_dtype,
        key_column_index,
        tf.int64,
        value_column_index,
        vocab_size=vocab_size,
        delimiter=delimiter,
    )
    return _make_index_table(initializer, num_oov_buckets, default_value, name)


def index_table_from_tensor(
    mapping: Any,
    num_oov_buckets: int = 0,
    default_value: int = -1,
    hasher_spec: Any = None,
    dtype: Any = tf.string,
    name: str | None = None,
) -> Any:
    """Makes a table from the items of a 1-D tensor to their indices, int64.

    Args:
        mapping: The keys, a 1-D tensor or list.
        num_oov_buckets: Number of indices after the last key for other keys, by their hash.
        default_value: Index of other keys, if `num_oov_buckets` is 0.
        hasher_spec: Must be None: keys are hashed by FastHashSpec.
        dtype: Data type of the keys.
        name: Name of the table's op.
    """
    _check_hasher(hasher_spec)
    keys = tf.convert_to_tensor(mapping)
    if tf.as_dtype(dtype).is_integer:
        keys = tf.cast(keys, tf.int64)
    values = tf.range(tf.size(keys, out_type=tf.int64), dtype=tf.int64)
    initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
    return _make_index_table(initializer, num_oov_buckets, default_value, name)


def index_to_string_table_from_file(
    vocabulary_file: Any,
    vocab_size: int | None = None,
    default_value: str = "UNK",
    name: str | None = None,
    key_column_index: int = _LINE_NUMBER,
    value_column_index: int = _WHOLE_LINE,
    delimiter: str = "\t",
) -> Any:
    """Makes a table from the indices of lines, int64, to the lines of a file.

    Args:
        vocabulary_file: Path of the file.
        vocab_size: Number of lines to use; None for all.
        default_value: Text of other indices.
        name: Name of the table's op.
        key_column_index: Column of the keys.
        value_column_index: Column of the values.
        delimiter: Character between columns.
    """
    initializer = tf.lookup.TextFileInitializer(
        vocabulary_file,
        tf.int64,
        key_column_index,
        tf.string,
        value_column_index,
        vocab_size=vocab_size,
        delimiter=delimiter,
    )
    return _LOOKUP.StaticHashTable(initializer, default_value, name=name)


def index_to_string_table_from_tensor(
    mapping: Any, default_value: str = "UNK", name: str | None = None
) -> Any:
    """Makes a table from indices, int64, to the texts of a 1-D tensor.

    Args:
        mapping: The texts, a 1-D tensor or list.
        default_value: Text of other indices.
        name: Name of the table's op.
    """
    texts = tf.convert_to_tensor(mapping, tf.string)
    indices = tf.range(tf.size(texts, out_type=tf.int64), dtype=tf.int64)
    initializer = tf.lookup.KeyValueTensorInitializer(indices, texts)
    return _LOOKUP.StaticHashTable(initializer, default_value, name=name)


def _make_index_table(
    initializer: Any, num_oov_buckets: int, default_value: int, name: str | None
) -> Any:
    if num_oov_buckets:
        return _LOOKUP.StaticVocabularyTable(initializer, num_oov_buckets, name=name)
    return _LOOKUP.StaticHashTable(initializer, default_value, name=name)


def _check_hasher(hasher_spec: Any) -> None:
    if hasher_spec is not None:
        raise ValueError("hasher_spec is not supported; leave it out for FastHashSpec")

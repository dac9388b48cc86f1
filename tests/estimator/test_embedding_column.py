"""Tests of hubmodule.estimator.embedding_column."""

from __future__ import annotations

import copy
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from hubmodule.errors import SignatureMismatchError
from hubmodule.estimator.embedding_column import EmbeddingColumn, flatten_texts


class Lengths(EmbeddingColumn):
    """Embeds a text with its length."""

    @property
    def variable_shape(self) -> tf.TensorShape:
        return tf.TensorShape([1])

    def create_state(self, state_manager: Any) -> None:
        pass

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> tf.Tensor:
        return transformation_cache.get(self, state_manager)

    def get_config(self) -> dict[str, Any]:
        return {"key": self.key}

    def _make_parsing_spec(self) -> Any:
        return tf.io.FixedLenFeature([], tf.string)

    def _prepare(self, feature: Any) -> tf.Tensor:
        return tf.cast(tf.strings.length(feature), tf.float32)[:, tf.newaxis]


def test_a_layer_asks_the_column() -> None:
    vectors = tf.keras.layers.DenseFeatures([Lengths("f")])({"f": tf.constant(["a", "bcd"])})
    np.testing.assert_array_equal(vectors, [[1.0], [3.0]])


def test_what_follows_from_the_key() -> None:
    column = Lengths("f")
    assert (column.name, column.parents) == ("f_hub_module_embedding", ["f"])
    assert column.parse_example_spec == {"f": tf.io.FixedLenFeature([], tf.string)}


def test_a_config_comes_back() -> None:
    assert Lengths.from_config(Lengths("f").get_config()) == Lengths("f")


def test_a_copy_is_the_column_itself() -> None:
    column = Lengths("f")
    assert copy.deepcopy([column])[0] is column


@pytest.mark.parametrize("feature", [["a", "b"], [["a"], ["b"]]])
def test_flatten_texts(feature: list[Any]) -> None:
    assert flatten_texts(tf.constant(feature), "f").numpy().tolist() == [b"a", b"b"]


@pytest.mark.parametrize(
    "feature",
    [tf.sparse.from_dense([["a"], ["b"]]), tf.constant([["a", "b"]])],
    ids=["sparse", "several"],
)
def test_another_number_of_texts_is_refused(feature: Any) -> None:
    with pytest.raises(SignatureMismatchError, match=r"'f'.*use sparse_text_embedding_column"):
        flatten_texts(feature, "f")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

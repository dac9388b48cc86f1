"""Values: what callers pass, as tensors to feed."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.errors import SignatureMismatchError
from hubmodule.format.signatures import TensorInfo, make_tensor_info
from hubmodule.module import values

v1 = tf.compat.v1


def info_of(value):
    return TensorInfo(make_tensor_info(value))


@pytest.fixture
def infos():
    with tf.Graph().as_default():
        yield {
            "dense": info_of(v1.placeholder(tf.float32, [None], name="d")),
            "sparse": info_of(v1.sparse_placeholder(tf.int64, [None, 2], name="s")),
        }


class TestByName:
    def test_a_dict_is_taken_by_name(self, infos):
        assert list(values.name_inputs(infos, {"sparse": 1, "dense": 2}, "s")) == [
            "dense",
            "sparse",
        ]

    def test_the_only_input_needs_no_name(self, infos):
        del infos["sparse"]
        assert values.name_inputs(infos, [1.0], "s") == {"dense": [1.0]}

    def test_none_is_no_input(self, infos):
        assert values.name_inputs({}, None, "s") == {}
        with pytest.raises(
            SignatureMismatchError, match=r"'s'.*lacks the inputs \['dense', 'sparse'\]"
        ):
            values.name_inputs(infos, None, "s")


class TestCheckDefault:
    def test_a_dict_needs_no_default(self):
        values.check_default({"a": 1}, "s", as_dict=True)

    def test_a_default_is_named(self):
        with pytest.raises(SignatureMismatchError, match=r"'s'.*as_dict=True.*\['a'\]"):
            values.check_default({"a": 1}, "s", as_dict=None)


class TestFeeds:
    def test_tensors_by_the_names_of_the_module(self, infos):
        sparse = tf.sparse.from_dense(tf.constant([[0, 5]], tf.int64))
        feeds = values.make_feeds(infos, {"dense": [1], "sparse": sparse})
        names = [*infos["dense"].tensor_names, *infos["sparse"].tensor_names]
        assert list(feeds) == names
        assert feeds["d:0"].dtype == tf.float32
        assert feeds[names[1]] is sparse.indices

    def test_a_mismatch_names_input_and_both_sides(self, infos):
        with pytest.raises(
            SignatureMismatchError, match=r"'sparse'.*sparse shape=\(None, 2\) dtype=int64.*list"
        ):
            values.make_feeds(infos, {"dense": [1.0], "sparse": [1]})

    def test_lists_are_no_ragged_tensors(self):
        with tf.Graph().as_default():
            info = info_of(v1.ragged.placeholder(tf.int64, 1))
            with pytest.raises(SignatureMismatchError, match=r"input 'ids'.* of type list"):
                values.make_feeds({"ids": info}, {"ids": [[1], [2, 3]]})


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

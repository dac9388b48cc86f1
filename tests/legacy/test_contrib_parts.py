"""The table of what became of `tf.contrib`."""

from __future__ import annotations

import sys

import pytest

from hubmodule.legacy.contrib_parts import ADVICE, PARTS, SUCCESSORS, find_advice


@pytest.mark.parametrize("path", sorted({*ADVICE, *SUCCESSORS}))
def test_the_tables_name_parts_of_tensorflow_1(path):
    assert path.split(".")[0] in PARTS


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("learn.Experiment", "use tf.estimator.train_and_evaluate"),
        ("learn.no_such.name", "use tf.estimator; tf.contrib.learn ended before TensorFlow 1.15"),
        (
            "training.no_such",
            "its successor tf_slim.training.training does not have this name",
        ),
        ("verbs", "it has no successor: remove this use"),
    ],
)
def test_the_advice_is_that_of_the_nearest_part(path, advice):
    assert find_advice(path) == advice


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The two text modules."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import hubmodule as hub
from examples.text_classification.publish_modules import publish_modules


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """What each module gives for a word, words, and one that it does not know."""
    outputs = []
    for path in publish_modules(str(tmp_path_factory.mktemp("modules"))):
        with hub.eval_function_for_module(path) as compute:
            outputs.append(compute(["good", "good film", "hubmodule"]))
    return outputs


def test_both_have_the_same_form(vectors):
    glove, random = vectors
    assert glove.shape == random.shape == (3, 50)


def test_they_know_the_same_words(vectors):
    for module in vectors:
        assert [bool(np.any(vector)) for vector in module] == [True, True, False]


def test_their_vectors_differ(vectors):
    glove, random = vectors
    assert np.abs(np.corrcoef(glove[0], random[0])[0, 1]) < 0.5


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The sentences: how they are read and split."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from examples.text_embeddings import sentiment

REAL_FILE = Path(__file__).parents[3] / "examples/text_embeddings/data/sentences.tsv"
EXAMPLES = sentiment.Examples(
    np.array(["good film", "bad film", "good meal", "bad meal"], dtype=object),
    np.array([1, 0, 1, 0], np.float32),
)


class TestReadExamples:
    def test_lowers_and_drops_repetitions(self, tmp_path):
        file = tmp_path / "sentences.tsv"
        file.write_bytes(
            "a\t1\tGood film.\r\nb\t0\tBad\u0085 film\r\nc\t1\tgood film.\r\n".encode()
        )
        examples = sentiment.read_examples(str(file))
        assert examples.sentences.tolist() == ["good film.", "bad\u0085 film"]
        assert examples.labels.tolist() == [1, 0]

    def test_of_the_real_file(self):
        examples = sentiment.read_examples(str(REAL_FILE))
        assert len(examples) == 2979
        assert examples.labels.sum() == 1488


class TestSplit:
    def test_has_every_example_once(self):
        training, held_out = sentiment.split_examples(EXAMPLES, 1, seed=0)
        assert (len(training), len(held_out)) == (3, 1)
        assert {*training.sentences, *held_out.sentences} == {*EXAMPLES.sentences}

    def test_keeps_labels_with_sentences(self):
        training, _ = sentiment.split_examples(EXAMPLES, 1, seed=0)
        assert [float(s.startswith("good")) for s in training.sentences] == training.labels.tolist()

    def test_depends_on_the_seed_alone(self):
        (first, _), (second, _) = (sentiment.split_examples(EXAMPLES, 1, seed=7) for _ in range(2))
        assert first.sentences.tolist() == second.sentences.tolist()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

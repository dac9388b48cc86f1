"""The classifier: its examples, and training on a frozen and on a trainable module."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import hubmodule as hub
from examples.text_embeddings import sentiment
from examples.text_embeddings.embedding_file import Embeddings
from examples.text_embeddings.export import export_module

REAL_FILE = Path(__file__).parents[3] / "examples/text_embeddings/data/sentences.tsv"
EXAMPLES = sentiment.Examples(
    np.array(["good film", "bad film", "good meal", "bad meal"], dtype=object),
    np.array([1, 0, 1, 0], np.float32),
)


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    words = ["good", "bad", "film", "unseen"]
    path = tmp_path_factory.mktemp("module") / "m"
    export_module(Embeddings(words, np.eye(4, dtype=np.float32)), str(path), l2_regularization=0.01)
    return str(path)


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
        training, held_out = sentiment.split(EXAMPLES, 1, seed=0)
        assert (len(training), len(held_out)) == (3, 1)
        assert {*training.sentences, *held_out.sentences} == {*EXAMPLES.sentences}

    def test_keeps_labels_with_sentences(self):
        training, _ = sentiment.split(EXAMPLES, 1, seed=0)
        assert [float(s.startswith("good")) for s in training.sentences] == training.labels.tolist()

    def test_depends_on_the_seed_alone(self):
        (first, _), (second, _) = (sentiment.split(EXAMPLES, 1, seed=7) for _ in range(2))
        assert first.sentences.tolist() == second.sentences.tolist()


class TestBatches:
    def test_have_every_example_once(self):
        batches = list(EXAMPLES.batches(3, np.random.default_rng(0)))
        assert [len(batch) for batch in batches] == [3, 1]
        assert {s for batch in batches for s in batch.sentences} == {*EXAMPLES.sentences}


class TestClassifier:
    def test_starts_without_an_opinion(self, module):
        with sentiment.Classifier(module, sentiment.Training(epochs=1)) as classifier:
            weights = classifier.weights()
        assert (weights.kernel.tolist(), float(weights.bias)) == ([0, 0, 0, 0], 0)

    def test_learns(self, module):
        training = sentiment.Training(epochs=10, batch_size=2)
        with sentiment.Classifier(module, training) as classifier:
            assert classifier.accuracy(EXAMPLES) == 0.5
            steps, _ = classifier.train(EXAMPLES)
            assert (steps, classifier.accuracy(EXAMPLES)) == (20, 1)

    def test_leaves_a_frozen_module_as_it_is(self, module):
        with sentiment.Classifier(module, sentiment.Training(epochs=2)) as classifier:
            classifier.train(EXAMPLES)
            assert classifier.embed(np.array(["good", "bad"], object)).tolist() == [
                [1, 0, 0, 0],
                [0, 1, 0, 0],
            ]
            assert classifier.regularization_loss() == 0

    def test_adds_the_loss_of_a_trainable_module(self, module):
        training = sentiment.Training(epochs=1)
        with sentiment.Classifier(module, training, trainable=True) as classifier:
            assert classifier.regularization_loss() == pytest.approx(0.01 * 4 / 2)

    def test_trains_a_trainable_module_and_its_words_by_regularisation_alone(self, module):
        start = sentiment.Weights(np.array([1, -1, 0, 0], np.float32), np.float32(0))
        training = sentiment.Training(epochs=1)
        with sentiment.Classifier(module, training, trainable=True, start=start) as classifier:
            classifier.train(EXAMPLES)
            good, unseen = classifier.embed(np.array(["good", "unseen"], object))
        assert good[0] > 1
        assert good[1] < 0
        np.testing.assert_allclose(unseen[:3], 0)
        assert 0.9 < unseen[3] < 1

    def test_is_the_same_each_time(self, module):
        weights = []
        for _ in range(2):
            with sentiment.Classifier(module, sentiment.Training(epochs=3)) as classifier:
                classifier.train(EXAMPLES)
                weights.append(classifier.weights().kernel.tolist())
        assert weights[0] == weights[1]

    def test_exports_the_module_as_trained(self, module, tmp_path):
        start = sentiment.Weights(np.array([1, -1, 0, 0], np.float32), np.float32(0))
        training = sentiment.Training(epochs=1)
        with sentiment.Classifier(module, training, trainable=True, start=start) as classifier:
            classifier.train(EXAMPLES)
            trained = classifier.embed(EXAMPLES.sentences)
            classifier.export_module(str(tmp_path / "trained"))
        with hub.eval_function_for_module(str(tmp_path / "trained")) as embed:
            np.testing.assert_array_equal(embed(EXAMPLES.sentences), trained)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

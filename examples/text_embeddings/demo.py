"""The life of a module, on real data: publish, reuse, fine-tune, publish again, load.

    python demo.py [--output_dir=DIR]

Word vectors of GloVe become a module. A classifier of review sentences is trained on
it, first with the module frozen, then with the module fine-tuned. The fine-tuned
module is exported and loaded into a new graph. What must be so is checked: the
program ends with status 1 if it is not.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# TensorFlow reads it when it is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from embedding_file import read_embeddings
from export import export_module
from sentiment import Classifier, Examples, Training, read_examples, split

import hubmodule as hub

_DATA = Path(__file__).parent / "data"
_HELD_OUT = 600
_SEED = 1
# Found by four-fold cross-validation on the training sentences; the held-out ones had no say.
_NUM_OOV_BUCKETS = 4000
_L2_REGULARIZATION = 1e-4
_FROZEN = Training(epochs=15, learning_rate=0.01)
_FINE_TUNED = Training(epochs=6, learning_rate=0.003)
_WORDS_TO_SHOW = ("good", "bad", "great", "waste", "love", "excellent")
_NEIGHBOURS = 5


def main() -> int:
    """Runs the demonstration, and returns the status that the program ends with."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output_dir", help="where the modules go; default: a new directory")
    output_dir = parser.parse_args().output_dir or tempfile.mkdtemp(prefix="hubmodule-demo-")
    tf.get_logger().setLevel("ERROR")
    print(f"hubmodule {hub.__version__} on TensorFlow {tf.__version__}")

    _headline("1. Publish word vectors as a module")
    published = os.path.join(output_dir, "glove")
    words = _publish(published)

    _headline("2. Train a classifier of sentences on the module, then the module itself")
    training, held_out = split(read_examples(str(_DATA / "sentences.tsv")), _HELD_OUT, _SEED)
    print(f"{len(training):,} sentences to train on; {len(held_out)} others are held out")
    with Classifier(published, _FROZEN) as classifier:
        _train(classifier, training, "frozen module")
        frozen_accuracy = classifier.accuracy(held_out)
        frozen_output = classifier.embed(held_out.sentences)
        weights = classifier.weights()
    with Classifier(published, _FINE_TUNED, trainable=True, start=weights) as classifier:
        _train(classifier, training, "fine-tuned module")
        fine_tuned_accuracy = classifier.accuracy(held_out)
        fine_tuned_output = classifier.embed(held_out.sentences)

        _headline("3. Publish the fine-tuned module")
        fine_tuned = os.path.join(output_dir, "glove-fine-tuned")
        classifier.export_module(fine_tuned)
        print(fine_tuned)

    _headline("4. Load it into a new graph")
    loaded_output = _outputs(fine_tuned, held_out.sentences)
    difference = np.max(np.abs(loaded_output - fine_tuned_output))
    print(f"{len(held_out)} sentences embedded; largest difference {difference:g}")

    _headline(f"Accuracy on the {len(held_out)} sentences held out")
    majority_accuracy = max(np.mean(held_out.labels), np.mean(1 - held_out.labels))
    print(f"{'majority class':<20}{majority_accuracy:6.1%}")
    print(f"{'frozen module':<20}{frozen_accuracy:6.1%}")
    print(f"{'fine-tuned module':<20}{fine_tuned_accuracy:6.1%}")

    _headline("Nearest words")
    _print_neighbours(words, published, fine_tuned)

    _headline("Checks")
    return _report_checks(
        {
            "the loaded module gives the outputs of the one that was exported": difference < 1e-6,
            "training on the frozen module has left it as it was": np.array_equal(
                frozen_output, _outputs(published, held_out.sentences)
            ),
            "fine-tuning has changed the outputs": not np.allclose(
                fine_tuned_output, frozen_output, atol=1e-3
            ),
            "the frozen module beats the majority class": frozen_accuracy > majority_accuracy,
            "the fine-tuned module beats the frozen one": fine_tuned_accuracy > frozen_accuracy,
        }
    )


def _headline(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def _publish(path: str) -> list[str]:
    """Publishes the vectors of GloVe, and returns their words."""
    begin = time.perf_counter()
    embeddings = read_embeddings(str(_DATA / "glove.6B.50d.top10000.txt.gz"))
    export_module(
        embeddings,
        path,
        num_oov_buckets=_NUM_OOV_BUCKETS,
        l2_regularization=_L2_REGULARIZATION,
    )
    seconds = time.perf_counter() - begin
    count, dimension = embeddings.vectors.shape
    print(f"{count:,} vectors of dimension {dimension}, and {_NUM_OOV_BUCKETS:,} for other words")
    print(f"read and published in {seconds:.1f} s")
    print(path)
    return embeddings.tokens


def _train(classifier: Classifier, examples: Examples, what: str) -> None:
    steps, seconds = classifier.train(examples)
    print(f"{what:<20}{steps:5,} steps of {seconds:.5f} s", flush=True)


def _outputs(module: str, sentences: np.ndarray) -> np.ndarray:
    """What a module on disk gives for sentences: float32 of shape [size, dimension]."""
    with hub.eval_function_for_module(module) as embed:
        return embed(sentences)


def _print_neighbours(words: list[str], published: str, fine_tuned: str) -> None:
    # The modules take out punctuation, so words with any have no vector of their own there.
    plain = np.array([word for word in words if word.isalpha()], dtype=object)
    before, after = (_nearest(plain, _outputs(path, plain)) for path in (published, fine_tuned))
    for word in _WORDS_TO_SHOW:
        print(f"{word:<12}before  {before(word)}\n{'':<12}after   {after(word)}")


def _nearest(words: np.ndarray, vectors: np.ndarray) -> Callable[[str], str]:
    """Returns a function from a word to those with the most similar vectors, by cosine."""
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def nearest(word: str) -> str:
        similarity = directions @ directions[np.flatnonzero(words == word)[0]]
        return ", ".join(words[np.argsort(-similarity)[1 : _NEIGHBOURS + 1]])

    return nearest


def _report_checks(checks: dict[str, bool]) -> int:
    for statement, holds in checks.items():
        print(f"{'ok    ' if holds else 'FAILED'}  {statement}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

"""The life of a module, on real data: publish, reuse, fine-tune, publish again, load.

    python demo.py [--output_dir=DIR]

Word vectors of GloVe become a module. An Estimator trains a classifier of review
sentences on it, first with the module frozen, then with the module fine-tuned, and
exports the fine-tuned module, which is loaded into a new graph. What must be so is
checked: the program ends with status 1 if it is not.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# TensorFlow reads these when it is imported. It speaks of oneDNN even when told to be quiet.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

if not __package__:  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import tensorflow as tf

import hubmodule as hub
from examples.text_embeddings.embedding_file import read_embeddings
from examples.text_embeddings.export import export_module
from examples.text_embeddings.sentiment import Examples, read_examples, split
from examples.text_embeddings.train_estimator import (
    Training,
    latest_export,
    make_estimator,
    once,
    train_and_evaluate,
)

_DATA = Path(__file__).parent / "data"
_HELD_OUT = 600
_SEED = 1
# Found by four-fold cross-validation on the training sentences; the held-out ones had no say.
_NUM_OOV_BUCKETS = 4000
_L2_REGULARIZATION = 1e-5
_FROZEN_STEPS = 1125
_FINE_TUNED_STEPS = 375
_WORDS_TO_SHOW = ("excellent", "perfect", "poor", "slow", "disappointed", "movie")
_NEIGHBOURS = 5


@dataclasses.dataclass(frozen=True)
class _Trained:
    """A trained classifier, measured on the sentences held out."""

    accuracy: float
    regularization_loss: float  # of the module
    outputs: np.ndarray  # of the module: float32 of shape [size, dimension]
    model_dir: str


def main() -> int:
    """Runs the demonstration, and returns the status that the program ends with."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--output_dir",
        help="the directory for modules and checkpoints; default: a temporary one, which is "
        "removed at the end",
    )
    output_dir = parser.parse_args().output_dir
    if output_dir:
        return demonstrate(output_dir)
    with tempfile.TemporaryDirectory(prefix="hubmodule-demo-") as temporary_dir:
        status = demonstrate(temporary_dir)
    print(f"\n{temporary_dir} is removed; --output_dir=DIR keeps the modules.")
    return status


def demonstrate(output_dir: str) -> int:
    """Publishes, trains, exports and loads, and checks the results.

    Args:
        output_dir: The directory for the modules and the checkpoints.

    Returns:
        0 if all checks hold, else 1.
    """
    hub.enable_estimator()
    tf.get_logger().setLevel("ERROR")
    print(f"hubmodule {hub.__version__} on TensorFlow {tf.__version__}")

    _headline("1. Publish word vectors as a module")
    published = os.path.join(output_dir, "glove")
    words = _publish(published)

    _headline("2. Train a classifier of sentences on the module; fine-tune and publish the module")
    training, held_out = split(read_examples(str(_DATA / "sentences.tsv")), _HELD_OUT, _SEED)
    print(f"{len(training):,} sentences to train on; {len(held_out)} others are held out")
    before = _train(
        Training(published, trainable=False, max_steps=_FROZEN_STEPS),
        training,
        held_out,
        os.path.join(output_dir, "frozen"),
    )
    after = _train(
        Training(published, max_steps=_FINE_TUNED_STEPS),
        training,
        held_out,
        os.path.join(output_dir, "fine-tuned"),
        start=before.model_dir,
    )
    fine_tuned = latest_export(after.model_dir)
    print(fine_tuned)

    _headline("3. Load the fine-tuned module into a new graph")
    loaded = _outputs(fine_tuned, held_out.sentences)
    difference = float(np.max(np.abs(loaded - after.outputs)))
    print(f"{len(held_out)} sentences embedded; largest difference {difference:g}")

    _headline(f"Accuracy on the {len(held_out)} sentences held out")
    majority = float(max(np.mean(held_out.labels), np.mean(1 - held_out.labels)))
    print(f"majority class       {majority:6.1%}")
    print(f"frozen module        {before.accuracy:6.1%}")
    print(f"fine-tuned module    {after.accuracy:6.1%}")

    _headline("Nearest words, before and after fine-tuning")
    _print_neighbours(words, published, fine_tuned)

    _headline("Checks")
    untouched = np.array_equal(before.outputs, _outputs(published, held_out.sentences))
    moved = float(np.max(np.abs(after.outputs - before.outputs)))
    return report_checks(
        {
            "the loaded module gives the outputs of the one that was exported": difference < 1e-6,
            "training on the frozen module left it as it was": untouched,
            "fine-tuning changed the module's outputs": moved > 1e-3,
            "only the trainable module brought a regularisation loss": (
                before.regularization_loss == 0 < after.regularization_loss
            ),
            "the frozen module beats the majority class": before.accuracy > majority,
            "the fine-tuned module beats the frozen one": after.accuracy > before.accuracy,
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


def _train(
    training: Training,
    examples: Examples,
    held_out: Examples,
    model_dir: str,
    start: str | None = None,
) -> _Trained:
    """Trains an Estimator, which exports its module, and measures it."""
    begin = time.perf_counter()
    estimator = make_estimator(training, model_dir, start)
    metrics = train_and_evaluate(estimator, examples, held_out)
    assert metrics is not None, f"{model_dir} has a trained model already"
    what = f"{'fine-tuned' if training.trainable else 'frozen'} module"
    seconds = time.perf_counter() - begin
    print(f"{what:<20}{training.max_steps:5,} steps, evaluation and export in {seconds:.1f} s")
    predictions = estimator.predict(once(held_out))
    outputs = np.array([prediction["embedding"] for prediction in predictions])
    return _Trained(metrics["accuracy"], metrics["regularization_loss"], outputs, model_dir)


def _outputs(module: str, sentences: np.ndarray) -> np.ndarray:
    """What a module on disk gives for sentences: float32 of shape [size, dimension]."""
    with hub.eval_function_for_module(module) as embed:
        return embed(sentences)


def _print_neighbours(words: list[str], published: str, fine_tuned: str) -> None:
    # The modules take out punctuation, so words with any have no vector of their own there.
    plain = np.array([word for word in words if word.isalpha()], dtype=object)
    before, after = (_nearest(plain, _outputs(path, plain)) for path in (published, fine_tuned))
    for word in _WORDS_TO_SHOW:
        print(f"{word:<14}before  {before(word)}\n{'':<14}after   {after(word)}")


def _nearest(words: np.ndarray, vectors: np.ndarray) -> Callable[[str], str]:
    """Returns a function from a word to those with the most similar vectors, by cosine."""
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def nearest(word: str) -> str:
        similarity = directions @ directions[np.flatnonzero(words == word)[0]]
        return ", ".join(words[np.argsort(-similarity)[1 : _NEIGHBOURS + 1]])

    return nearest


def report_checks(checks: dict[str, bool]) -> int:
    """Prints which statements hold, and returns 0 if all do, or else 1."""
    for statement, holds in checks.items():
        print(f"{'ok    ' if holds else 'FAILED'}  {statement}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

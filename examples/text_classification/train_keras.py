"""Classifies sentences of reviews, with Keras and the code of today.

    python train_keras.py --module=/modules/glove --module=/modules/random --model_dir=/tmp/keras

Trains a classifier on each module, once with the module frozen and once trained with it, and prints
their accuracies. train_tf1.py does the same with an Estimator.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# TensorFlow reads these at import. It logs a line about oneDNN at every log level.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

if not __package__:  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[2]))

import pandas as pd
import tensorflow as tf

import hubmodule as hub

_SENTENCES = Path(__file__).parents[1] / "text_embeddings/data/sentences.tsv"
_HELD_OUT = 600
_BATCH_SIZE = 64


def load_sentences(path: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reads lines of source, label (0 or 1) and sentence, separated by tabs.

    Args:
        path: The path of the file.
        seed: The seed of the split.

    Returns:
        The sentences to train on, and those that are held out, in random order.
    """
    # 3 is csv.QUOTE_NONE: quotation marks are parts of sentences.
    table = pd.read_csv(path, sep="\t", names=["source", "label", "sentence"], quoting=3)
    table["sentence"] = table["sentence"].str.lower()
    table = table.drop_duplicates("sentence").sample(frac=1, random_state=seed)
    return table[_HELD_OUT:], table[:_HELD_OUT]


def make_dataset(table: pd.DataFrame) -> tf.data.Dataset:
    """Makes a dataset of (sentences, labels) in batches, in the order of the table."""
    tensors = (table["sentence"].tolist(), table["label"].to_numpy("float32"))
    return tf.data.Dataset.from_tensor_slices(tensors).batch(_BATCH_SIZE)


def train_model(
    module: str, train_module: bool, training: pd.DataFrame, steps: int
) -> tf.keras.Model:
    """Trains a classifier on a module.

    Args:
        module: The handle of a text module.
        train_module: Whether to train the module, too.
        training: The sentences to train on.
        steps: The number of training steps.
    """
    model = tf.keras.Sequential(
        [
            tf.keras.Input(shape=(), dtype="string"),
            hub.KerasLayer(module, trainable=train_module, name="module"),
            tf.keras.layers.Dense(32, "relu"),
            tf.keras.layers.Dense(16, "relu"),
            tf.keras.layers.Dense(1),
        ]
    )
    model.compile(
        optimizer=tf.keras.optimizers.Adagrad(0.05),
        # tf.estimator.DNNClassifier adds up the losses of a batch, too.
        loss=tf.keras.losses.BinaryCrossentropy(from_logits=True, reduction="sum"),
    )
    model.fit(make_dataset(training).repeat(), steps_per_epoch=steps, shuffle=False, verbose=0)
    return model


def count_answers(model: tf.keras.Model, held_out: pd.DataFrame) -> tf.Tensor:
    """Returns the confusion matrix: int32 [right label, given label]."""
    logits = model.predict(make_dataset(held_out), verbose=0)
    return tf.math.confusion_matrix(held_out["label"], logits[:, 0] > 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program, and returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--module", required=True, action="append", help="handle of a text module; may be repeated"
    )
    parser.add_argument("--model_dir", required=True, help="the directory for the trained modules")
    parser.add_argument(
        "--sentences",
        default=str(_SENTENCES),
        help="a file with lines of source, label (0 or 1) and sentence, separated by tabs",
    )
    parser.add_argument("--steps", type=int, default=400, help="training steps; default: 400")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parsed = parser.parse_args(arguments)
    training, held_out = load_sentences(parsed.sentences, parsed.seed)
    accuracies: dict[str, dict[str, float]] = {}
    for module in parsed.module:
        name = os.path.basename(module)
        for train_module in (False, True):
            tf.keras.utils.set_random_seed(parsed.seed)
            model = train_model(module, train_module, training, parsed.steps)
            matrix = count_answers(model, held_out).numpy()
            column = "trained" if train_module else "frozen"
            accuracies.setdefault(name, {})[column] = matrix.trace() / matrix.sum()
            print(f"Confusion matrix, {name}, {column}:\n{matrix}", flush=True)
            path = os.path.join(parsed.model_dir, f"{name}_{column}")
            tf.saved_model.save(model.get_layer("module").resolved_object, path)
    print("Accuracy:")
    print(pd.DataFrame.from_dict(accuracies, orient="index").round(3))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Classifies sentences of reviews, with code for TensorFlow 1 and tensorflow_hub.

    hubmodule run --tf1 train_tf1.py --module=/modules/glove --module=/modules/random \
        --model_dir=/tmp/tf1

Trains a classifier on each module, once with the module frozen and once trained with it, and prints
their accuracies. train_keras.py does the same with Keras.
"""

from __future__ import annotations

import os

import pandas as pd
import tensorflow as tf
import tensorflow_hub as hub

FLAGS = tf.flags.FLAGS

tf.flags.DEFINE_multi_string("module", None, "handle of a text module; may be repeated")
tf.flags.DEFINE_string("model_dir", None, "directory for checkpoints and exports")
tf.flags.DEFINE_string(
    "sentences",
    os.path.join(os.path.dirname(__file__), "../text_embeddings/data/sentences.tsv"),
    "file with lines of source, label (0 or 1) and sentence, separated by tabs",
)
tf.flags.DEFINE_integer("steps", 400, "number of training steps")
tf.flags.DEFINE_integer("seed", 1, "seed of the initial weights, and of the split")
tf.flags.DEFINE_boolean(
    "export_modules", True, "export the trained modules, which tensorflow_hub itself cannot do here"
)
tf.flags.mark_flags_as_required(["module", "model_dir"])

HELD_OUT = 600
BATCH_SIZE = 64


def load_sentences() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the sentences to train on, and those that are held out, in random order."""
    with tf.gfile.Open(FLAGS.sentences) as file:
        # 3 is csv.QUOTE_NONE: quotation marks are parts of sentences.
        table = pd.read_csv(file, sep="\t", names=["source", "label", "sentence"], quoting=3)
    table["sentence"] = table["sentence"].str.lower()
    table = table.drop_duplicates("sentence").sample(frac=1, random_state=FLAGS.seed)
    return table[HELD_OUT:], table[:HELD_OUT]


def serving_input_fn() -> tf.estimator.export.ServingInputReceiver:
    """Says what a served model would take."""
    sentence = tf.placeholder(tf.string, [None])
    return tf.estimator.export.ServingInputReceiver({"sentence": sentence}, sentence)


def train_and_evaluate(
    module: str, train_module: bool, training: pd.DataFrame, held_out: pd.DataFrame
) -> tuple[float, tf.estimator.Estimator]:
    """Trains a classifier, exports its module, and returns its accuracy."""
    name = os.path.basename(module) + ("_trained" if train_module else "_frozen")
    # The rows are in random order; shuffle=True would make it another one in each run.
    train_input_fn = tf.estimator.inputs.pandas_input_fn(
        training, training["label"], batch_size=BATCH_SIZE, num_epochs=None, shuffle=False
    )
    eval_input_fn = tf.estimator.inputs.pandas_input_fn(
        held_out, held_out["label"], batch_size=HELD_OUT, shuffle=False
    )
    export = {"export_name": "sentences"} if FLAGS.export_modules else {}
    embedded = hub.text_embedding_column("sentence", module, trainable=train_module, **export)
    estimator = tf.estimator.DNNClassifier(
        hidden_units=[32, 16],
        feature_columns=[embedded],
        n_classes=2,
        optimizer=tf.train.AdagradOptimizer(learning_rate=0.05),
        config=tf.estimator.RunConfig(
            os.path.join(FLAGS.model_dir, name), tf_random_seed=FLAGS.seed
        ),
    )
    exporter = hub.LatestModuleExporter("tf_hub", serving_input_fn)
    metrics, _ = tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(train_input_fn, FLAGS.steps),
        tf.estimator.EvalSpec(eval_input_fn, steps=None, exporters=[exporter]),
    )
    return metrics["accuracy"], estimator


def print_confusion_matrix(estimator: tf.estimator.Estimator, held_out: pd.DataFrame) -> None:
    """Prints how often sentences of either label (rows) were given either label (columns)."""
    input_fn = tf.estimator.inputs.pandas_input_fn(held_out, shuffle=False)
    answers = [prediction["class_ids"][0] for prediction in estimator.predict(input_fn)]
    with tf.Graph().as_default(), tf.Session() as session:
        print(session.run(tf.confusion_matrix(held_out["label"], answers)))


def main(_: list[str]) -> None:
    """Trains all classifiers, and prints the results."""
    tf.logging.set_verbosity(tf.logging.ERROR)
    training, held_out = load_sentences()
    accuracies: dict[str, dict[str, float]] = {}
    for module in FLAGS.module:
        for train_module in (False, True):
            accuracy, estimator = train_and_evaluate(module, train_module, training, held_out)
            column = "trained" if train_module else "frozen"
            accuracies.setdefault(os.path.basename(module), {})[column] = accuracy
            print(f"Confusion matrix, {os.path.basename(module)}, {column}:")
            print_confusion_matrix(estimator, held_out)
    print("Accuracy:")
    print(pd.DataFrame.from_dict(accuracies, orient="index").round(3))


if __name__ == "__main__":
    tf.app.run()

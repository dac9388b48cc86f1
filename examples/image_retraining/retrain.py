"""Retrains a classifier of images on the features that a module computes.

    python retrain.py --module=/modules/features --image_dir=/data/shapes --output_dir=/tmp/out

The images are in a directory for each label. The program trains a linear classifier on the
module's feature vectors, which it keeps on disk; or with --fine_tune the module as well. Then it
tests the classifier on images that it has not seen. In the output directory are then

    classifier/         the classifier as a module
    features/           with --fine_tune: the module for features, trained further
    servable/1/         the classifier for TensorFlow Serving
    labels.txt          the names of the labels, a line for each
    confusion.csv       how often an image of a label (row) was given a label (column)
    errors.png          test images that were given a wrong label
    logs/               checkpoints, and summaries: tensorboard --logdir=/tmp/out/logs
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# TensorFlow reads these at import. It logs a line about oneDNN at every log level.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

if not __package__:  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import tensorflow as tf

import hubmodule as hub
from examples.image_retraining import publishing
from examples.image_retraining.bottlenecks import BottleneckCache
from examples.image_retraining.evaluation import Evaluation, evaluate, format_matrix, write_errors
from examples.image_retraining.images import ImageFiles, find_image_files
from examples.image_retraining.training import Training, train

_VALIDATION_PERCENTAGE = 10
_TESTING_PERCENTAGE = 20


def retrain(
    training: Training,
    image_dir: str,
    output_dir: str,
    cache_dir: str | None = None,
    report: Callable[[str], None] = print,
) -> Evaluation:
    """Trains, publishes and tests a classifier.

    Args:
        training: How to train.
        image_dir: The directory with a directory of images for each label.
        output_dir: The directory for the results.
        cache_dir: The directory for feature vectors; None means `bottlenecks` in `output_dir`.
        report: Called with lines about the progress.

    Returns:
        What the published module answers for the test images.

    Raises:
        ValueError: If there are too few images, or a file is not an image.
        FileExistsError: If the output directory has results already.
    """
    files = find_image_files(image_dir, _VALIDATION_PERCENTAGE, _TESTING_PERCENTAGE)
    classifier = os.path.join(output_dir, "classifier")
    if os.path.exists(classifier):
        raise FileExistsError(f"{output_dir} has a classifier already; give another output_dir.")
    report(
        f"{len(files.training)} images to train with, {len(files.validation)} to validate with, "
        f"{len(files.testing)} to test with"
    )
    cache = BottleneckCache(training.module, cache_dir or os.path.join(output_dir, "bottlenecks"))
    if not training.fine_tune:
        cache.read([*files.training.paths, *files.validation.paths])
        report(f"{cache.computed} feature vectors computed, the others were on disk")
    checkpoint = train(training, files, cache, os.path.join(output_dir, "logs"), report)
    publishing.publish_classifier(training.module, checkpoint, files.names, classifier)
    publishing.publish_servable(classifier, os.path.join(output_dir, "servable", "1"))
    if training.fine_tune:
        features = os.path.join(output_dir, "features")
        publishing.publish_features(training.module, checkpoint, len(files.names), features)
    return _test(classifier, files, output_dir, report)


def _test(
    classifier: str, files: ImageFiles, output_dir: str, report: Callable[[str], None]
) -> Evaluation:
    """Tests the published module, and writes what it got wrong."""
    size = hub.get_expected_image_size(hub.load_module_spec(classifier))
    with hub.eval_function_for_module(classifier) as compute_logits:
        evaluation = evaluate(compute_logits, files.testing, size)
    matrix = evaluation.count_answers(len(files.names))
    report(f"accuracy on {len(files.testing)} test images: {evaluation.accuracy:.1%}")
    report(format_matrix(matrix, files.names))
    names = ",".join(files.names)
    np.savetxt(
        os.path.join(output_dir, "confusion.csv"),
        matrix,
        "%d",
        delimiter=",",
        header=names,
        comments="",
    )
    Path(output_dir, "labels.txt").write_text("\n".join(files.names) + "\n", encoding="utf-8")
    errors = os.path.join(output_dir, "errors.png")
    if write_errors(errors, evaluation, files.names):
        report(f"The images with wrong answers are in {errors}")
    return evaluation


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program, and returns its exit status."""
    defaults = Training("")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--module", required=True, help="handle of an image feature vector module")
    parser.add_argument("--image_dir", required=True, help="a directory of images for each label")
    parser.add_argument("--output_dir", required=True, help="the directory for the results")
    parser.add_argument(
        "--cache_dir", help="the directory for feature vectors; default: OUTPUT_DIR/bottlenecks"
    )
    parser.add_argument("--fine_tune", action="store_true", help="train the module as well")
    parser.add_argument("--steps", type=int, default=defaults.steps, help="default: %(default)s")
    parser.add_argument(
        "--learning_rate", type=float, default=defaults.learning_rate, help="default: %(default)s"
    )
    parser.add_argument(
        "--batch_size", type=int, default=defaults.batch_size, help="default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=defaults.seed, help="default: %(default)s")
    parsed = vars(parser.parse_args(arguments))
    places = [parsed.pop(name) for name in ("image_dir", "output_dir", "cache_dir")]
    tf.get_logger().setLevel("ERROR")
    try:
        retrain(Training(**parsed), *places)
    except (hub.HubModuleError, OSError, ValueError) as error:
        print(f"retrain.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

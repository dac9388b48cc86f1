"""Retraining from end to end: draw images, publish features, retrain, fine-tune, publish, serve.

    python demo.py [--output_dir=DIR]

Takes half a minute on two processors. The program checks the results, and ends with status 1 if a
check fails.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

# TensorFlow reads these at import. It logs a line about oneDNN at every log level.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

if not __package__:  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import tensorflow as tf

import hubmodule as hub
from examples.image_retraining.features import publish_features
from examples.image_retraining.images import read_images
from examples.image_retraining.retrain import retrain
from examples.image_retraining.shapes import write_images
from examples.image_retraining.training import Training

_IMAGES_PER_SHAPE = 160
_FEATURE_STEPS = 300
_FROZEN_STEPS = 300
_FINE_TUNED_STEPS = 150
_SEED = 1


def demonstrate(output_dir: str) -> int:
    """Runs every step, and checks the results.

    Args:
        output_dir: The directory for images, modules and logs.

    Returns:
        0 if all checks hold, else 1.
    """
    tf.keras.utils.set_random_seed(_SEED)
    print(f"hubmodule {hub.__version__} on TensorFlow {tf.__version__}")
    image_dir, module, cache, frozen_dir, tuned_dir = (
        os.path.join(output_dir, name)
        for name in ("images", "shape_features", "bottlenecks", "frozen", "fine_tuned")
    )

    _print_headline("1. Draw images, and publish a module for features of other shapes")
    write_images(image_dir, _IMAGES_PER_SHAPE, _SEED)
    accuracy = publish_features(module, _FEATURE_STEPS, _SEED)
    print(f"The network names {accuracy:.1%} of the shapes that it was trained on")
    print(module)
    _print_conformance(module)

    _print_headline("2. Retrain a classifier on the module, which stays as it is")
    training = Training(module, steps=_FROZEN_STEPS, seed=_SEED)
    frozen = retrain(training, image_dir, frozen_dir, cache)

    _print_headline("3. Fine-tune the module with the classifier")
    training = Training(
        module, fine_tune=True, steps=_FINE_TUNED_STEPS, learning_rate=0.003, seed=_SEED
    )
    tuned = retrain(training, image_dir, tuned_dir)

    _print_headline("4. Use what was published")
    classifier = os.path.join(tuned_dir, "classifier")
    tuned_features = os.path.join(tuned_dir, "features")
    _print_conformance(classifier)
    _print_conformance(tuned_features)
    files = tuned.files
    served = _ask_servable(os.path.join(tuned_dir, "servable", "1"), files.paths)
    names = Path(tuned_dir, "labels.txt").read_text(encoding="utf-8").split()
    answers = [names[answer] for answer in tuned.answers]
    images = read_images(files.paths[:8], hub.get_expected_image_size(hub.load_module_spec(module)))
    with (
        hub.eval_function_for_module(module) as compute_before,
        hub.eval_function_for_module(tuned_features) as compute_after,
    ):
        moved = float(np.max(np.abs(compute_after(images) - compute_before(images))))
    print(f"fine-tuning moved feature vectors by up to {moved:.2f}")

    _print_headline("Checks")
    return report_checks(
        {
            "the frozen module beats chance": frozen.accuracy > 2 / len(names),
            "the fine-tuned module beats the frozen one": tuned.accuracy > frozen.accuracy,
            "the servable answers as the module does": served == answers,
            "fine-tuning changed the module's outputs": moved > 1e-3,
            "the errors are in a picture": (
                Path(frozen_dir, "errors.png").exists() == bool(len(frozen.find_errors()))
            ),
        }
    )


def _ask_servable(path: str, image_paths: Sequence[str]) -> list[str]:
    """Sends image files to the SavedModel for TensorFlow Serving, and returns its labels."""
    servable = tf.saved_model.load(path)
    encoded = tf.constant([Path(each).read_bytes() for each in image_paths])
    answers = servable.signatures["serving_default"](image_bytes=encoded)
    return [label.decode() for label in answers["label"].numpy()]


def _print_conformance(path: str) -> None:
    for each in hub.inspect(path).common_signatures:
        print(f"{path}: {each.name}{'' if each.fulfilled else ' not'} fulfilled")


def _print_headline(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def report_checks(checks: dict[str, bool]) -> int:
    """Prints which statements hold, and returns 0 if all do, or else 1."""
    for statement, holds in checks.items():
        print(f"{'ok    ' if holds else 'FAILED'}  {statement}")
    return 0 if all(checks.values()) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demonstration, and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--output_dir",
        help="the directory for images, modules and logs, which must not exist or be empty; "
        "default: a temporary one, which is removed at the end",
    )
    output_dir = parser.parse_args(arguments).output_dir
    if output_dir:
        return demonstrate(output_dir)
    with tempfile.TemporaryDirectory(prefix="hubmodule-images-") as temporary_dir:
        status = demonstrate(temporary_dir)
    print(f"\n{temporary_dir} is removed; --output_dir=DIR keeps it.")
    return status


if __name__ == "__main__":
    sys.exit(main())

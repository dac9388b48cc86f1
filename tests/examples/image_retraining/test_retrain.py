"""Retraining on images of two colours, and what it publishes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from examples.image_retraining.images import find_image_files, read_images
from examples.image_retraining.retrain import main, retrain
from examples.image_retraining.training import Training
from tests.examples.image_retraining.colours import SIZE, publish_module, write_images

STEPS = 60


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A directory with a module, images, and a classifier trained with the module or without."""
    directory = tmp_path_factory.mktemp("retrain")
    module = publish_module(directory / "module")
    write_images(directory / "images", 40)
    for name in ("frozen", "tuned"):
        training = Training(module, fine_tune=name == "tuned", steps=STEPS, learning_rate=0.05)
        retrain(training, str(directory / "images"), str(directory / name), report=lambda _: None)
    return directory


@pytest.fixture(scope="module")
def test_files(directory):
    return find_image_files(str(directory / "images"), 10, 20).testing


@pytest.fixture(params=["frozen", "tuned"])
def output_dir(request, directory):
    return directory / request.param


def test_the_classifier_answers_right(output_dir, test_files):
    with hub.eval_function_for_module(str(output_dir / "classifier")) as compute:
        logits = compute({"images": read_images(test_files.paths, [SIZE, SIZE])})
    assert np.argmax(logits, 1).tolist() == test_files.labels.tolist()


def test_the_classifier_has_the_common_signature(output_dir):
    facts = hub.inspect(str(output_dir / "classifier"))
    found = {each.name: each.missing for each in facts.common_signatures}
    assert found == {"image classification": ()}
    spec = hub.load_module_spec(str(output_dir / "classifier"))
    assert sorted(map(sorted, spec.get_tags())) == [[], ["train"]]
    names = spec.get_attached_message("label_names", tf.train.BytesList)
    assert list(names.value) == [b"blue", b"red"]
    assert hub.get_expected_image_size(spec) == [SIZE, SIZE]


def test_the_servable_takes_files_and_arrays(output_dir, test_files):
    signatures = tf.saved_model.load(str(output_dir / "servable" / "1")).signatures
    encoded = [Path(path).read_bytes() for path in test_files.paths]
    images = read_images(test_files.paths, [SIZE, SIZE])
    of_files = signatures["serving_default"](image_bytes=tf.constant(encoded))
    of_arrays = signatures["images"](images=tf.constant(images))
    names = [[b"blue", b"red"][label] for label in test_files.labels]
    assert of_files["label"].numpy().tolist() == of_arrays["label"].numpy().tolist() == names
    np.testing.assert_allclose(of_files["scores"], of_arrays["scores"], rtol=1e-4)
    np.testing.assert_allclose(tf.reduce_sum(of_files["scores"], 1), 1, rtol=1e-5)


def test_only_fine_tuning_changes_the_module(directory, test_files):
    images = read_images(test_files.paths, [SIZE, SIZE])
    with (
        hub.eval_function_for_module(str(directory / "module")) as before,
        hub.eval_function_for_module(str(directory / "tuned" / "features")) as after,
    ):
        assert np.abs(after({"images": images}) - before({"images": images})).max() > 1e-2
    assert not (directory / "frozen" / "features").exists()
    kept = tf.train.load_checkpoint(str(directory / "frozen" / "logs"))
    assert kept.get_tensor("features/gain").tolist() == [1, 1, 1]


def test_summaries(output_dir):
    for purpose in ("train", "validation"):
        (log,) = (output_dir / "logs" / purpose).iterdir()
        steps = {}
        for event in tf.compat.v1.train.summary_iterator(str(log)):
            for value in event.summary.value:
                steps.setdefault(value.tag, []).append(event.step)
        assert steps["loss"] == steps["accuracy"] == steps["head/kernel/values"] == [50, STEPS]


def test_text_files(output_dir, test_files):
    assert (output_dir / "labels.txt").read_text() == "blue\nred\n"
    header, *rows = (output_dir / "confusion.csv").read_text().splitlines()
    matrix = [[int(count) for count in row.split(",")] for row in rows]
    assert header == "blue,red"
    assert matrix == np.diag(np.bincount(test_files.labels)).tolist()


def test_vectors_are_shared_between_runs(directory, tmp_path):
    lines = []
    for name in ("first", "second"):
        retrain(
            Training(str(directory / "module"), steps=1),
            str(directory / "images"),
            str(tmp_path / name),
            str(tmp_path / "cache"),
            lines.append,
        )
    computed = [
        line for line in lines if line.endswith("feature vectors computed, the others were on disk")
    ]
    assert computed[1].startswith("0 ") and not computed[0].startswith("0 ")


def test_the_program_says_what_is_wrong(tmp_path, capsys):
    module = publish_module(tmp_path / "module")
    (tmp_path / "images").mkdir()
    arguments = [f"--module={module}", f"--image_dir={tmp_path / 'images'}"]
    assert main([*arguments, f"--output_dir={tmp_path / 'out'}"]) == 1
    assert capsys.readouterr().err.startswith(f"retrain.py: {tmp_path / 'images'} contains 0 ")


def test_results_are_not_overwritten(directory, capsys):
    arguments = [f"--module={directory / 'module'}", f"--image_dir={directory / 'images'}"]
    assert main([*arguments, f"--output_dir={directory / 'frozen'}"]) == 1
    assert "has a classifier already" in capsys.readouterr().err


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

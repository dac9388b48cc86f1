"""The same classifiers with the code of TensorFlow 1 and of today, run as their users run them."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from examples.text_classification.publish_modules import publish_modules
from tests.processes import ROOT, run_python

PROGRAMS = ROOT / "examples" / "text_classification"
SENTENCES = ["good food", "bad food"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A directory with the modules `glove` and `random`, and what the programs trained."""
    directory = tmp_path_factory.mktemp("text")
    publish_modules(str(directory))
    return directory


def run_program(directory, *command):
    modules = [f"--module={directory / name}" for name in ("glove", "random")]
    done = run_python(*command, *modules)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def tf1_output(directory):
    command = ["-m", "hubmodule", "run", "--tf1", str(PROGRAMS / "train_tf1.py")]
    return run_program(directory, *command, f"--model_dir={directory / 'tf1'}")


@pytest.fixture(scope="module")
def keras_output(directory):
    return run_program(
        directory, str(PROGRAMS / "train_keras.py"), f"--model_dir={directory / 'keras'}"
    )


def read_accuracies(output):
    rows = re.findall(r"^(glove|random) +([\d.]+) +([\d.]+)$", output, re.MULTILINE)
    return {name: (float(frozen), float(trained)) for name, frozen, trained in rows}


def read_matrices(output):
    blocks = re.findall(r"^Confusion matrix, (\w+), (\w+):\n((?:.*\n){2})", output, re.MULTILINE)
    return {
        (module, column): np.array(re.findall(r"\d+", rows), int).reshape([2, 2])
        for module, column, rows in blocks
    }


@pytest.mark.parametrize("program", ["tf1_output", "keras_output"])
def test_accuracies(program, request):
    accuracies = read_accuracies(request.getfixturevalue(program))
    assert accuracies["glove"][0] > 0.65
    assert accuracies["glove"][1] > accuracies["glove"][0]
    assert accuracies["random"][1] > accuracies["random"][0]
    assert accuracies["glove"][0] > accuracies["random"][0]


@pytest.mark.parametrize("program", ["tf1_output", "keras_output"])
def test_confusion_matrices_agree_with_the_accuracies(program, request):
    output = request.getfixturevalue(program)
    matrices, accuracies = read_matrices(output), read_accuracies(output)
    assert len(matrices) == 4
    for (module, column), matrix in matrices.items():
        accuracy = accuracies[module][column == "trained"]
        assert matrix.trace() / matrix.sum() == pytest.approx(accuracy, abs=1e-3)


def test_both_hold_out_the_same_sentences(tf1_output, keras_output):
    for output in (tf1_output, keras_output):
        for matrix in read_matrices(output).values():
            assert matrix.sum(1).tolist() == [299, 301]


def test_the_estimator_exports_the_module_that_it_trained(directory, tf1_output):
    with hub.eval_function_for_module(str(directory / "glove")) as compute:
        before = compute(SENTENCES)
    for name, moves in (("glove_frozen", False), ("glove_trained", True)):
        (export,) = (directory / "tf1" / name / "export" / "tf_hub").glob("*/sentences")
        with hub.eval_function_for_module(str(export)) as compute:
            assert (np.abs(compute(SENTENCES) - before).max() > 1e-3) == moves


def test_keras_saves_the_module_that_it_trained(directory, keras_output):
    before = hub.load(str(directory / "glove"))(tf.constant(SENTENCES))
    for name, moves in (("glove_frozen", False), ("glove_trained", True)):
        after = hub.load(str(directory / "keras" / name))(tf.constant(SENTENCES))
        assert (np.abs(after - before).max() > 1e-3) == moves


def test_the_doctor_finds_nothing(tmp_path):
    done = run_python("-m", "hubmodule", "doctor", str(PROGRAMS / "train_tf1.py"))
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing found in 1 file")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

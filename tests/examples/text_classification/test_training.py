"""The page about text classification runs when its blocks are pasted, and what they train."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from tests.pages import make_program, read_page, run_in_checkout
from tests.processes import ROOT, run_python

PAGE = read_page("text_classification.md")
PROGRAM = ROOT / "examples" / "text_classification" / "train_tf1.py"
SENTENCES = ["good food", "bad food"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def output(directory):
    """What the blocks of the page print when they are pasted."""
    return run_in_checkout(directory, make_program(PAGE))


@pytest.fixture(scope="module")
def tf1_output(output):
    return output[: _find_end_of_table(output)]


@pytest.fixture(scope="module")
def keras_output(output):
    return output[_find_end_of_table(output) :]


def _find_end_of_table(output):
    return re.search(r"^Accuracy:\n(?:.*\n){3}", output, re.MULTILINE).end()


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
    with hub.eval_function_for_module(str(directory / "modules" / "glove")) as compute:
        before = compute(SENTENCES)
    for name, moves in (("glove_frozen", False), ("glove_trained", True)):
        (export,) = (directory / "tf1" / name / "export" / "tf_hub").glob("*/sentences")
        with hub.eval_function_for_module(str(export)) as compute:
            assert (np.abs(compute(SENTENCES) - before).max() > 1e-3) == moves


def test_keras_saves_the_module_that_it_trained(directory, keras_output):
    before = hub.load(str(directory / "modules" / "glove"))(tf.constant(SENTENCES))
    for name, moves in (("glove_frozen", False), ("glove_trained", True)):
        after = hub.load(str(directory / "keras" / name))(tf.constant(SENTENCES))
        assert (np.abs(after - before).max() > 1e-3) == moves


def test_the_page_loads_the_trained_modules(output):
    assert output.splitlines()[-2:] == ["(2, 50)"] * 2


def test_the_page_shows_the_output(output):
    printed = [line.split() for line in re.sub(r"\d+", "0", output).splitlines()]
    shown = re.sub(r"\d+", "0", "".join(re.findall(r"\n\n((?:    .*\n)+)", PAGE))).splitlines()
    assert len(shown) == 4
    assert [line for line in shown if line.split() not in printed] == []


def test_the_doctor_finds_nothing():
    done = run_python("-m", "hubmodule", "doctor", str(PROGRAM))
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing found in 1 file")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

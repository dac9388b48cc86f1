"""Confusion matrix and accuracy."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from examples.image_retraining import evaluation
from examples.image_retraining.images import LabelledFiles, find_image_files
from tests.examples.image_retraining.colours import SIZE, write_images

ANSWERS = evaluation.Evaluation(
    LabelledFiles(("a", "b", "c", "d"), np.array([0, 0, 1, 1])), np.array([0, 1, 1, 1])
)


def test_accuracy():
    assert ANSWERS.accuracy == 0.75


def test_confusion_matrix():
    assert ANSWERS.count_answers(2).tolist() == [[1, 1], [0, 2]]


def test_errors():
    assert ANSWERS.find_errors().tolist() == [1]


def test_table():
    assert evaluation.format_matrix(ANSWERS.count_answers(2), ["cat", "horse"]).splitlines() == [
        "         cat  horse",
        "cat        1      1",
        "horse      0      2",
    ]


def test_the_largest_logit_is_the_answer(tmp_path):
    write_images(tmp_path, 20)
    files = find_image_files(str(tmp_path), 20, 30).testing

    def compute_logits(images):  # blue is the first label
        return images.mean((1, 2))[:, [2, 0]]

    result = evaluation.evaluate(compute_logits, files, [SIZE, SIZE])
    assert result.accuracy == 1
    assert evaluation.write_errors(str(tmp_path / "none.png"), result, ["blue", "red"]) == 0
    assert not (tmp_path / "none.png").exists()


def test_wrong_answers_are_drawn(tmp_path):
    write_images(tmp_path, 20)
    files = find_image_files(str(tmp_path), 20, 30).testing
    wrong = evaluation.Evaluation(files, 1 - files.labels)
    errors = evaluation.write_errors(str(tmp_path / "errors.png"), wrong, ["blue", "red"])
    assert errors == len(files)
    assert (tmp_path / "errors.png").read_bytes().startswith(b"\x89PNG")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

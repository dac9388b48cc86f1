"""Says how a classifier does on images that it was not trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from examples.image_retraining.images import LabelledFiles, read_images, split_into_batches
from examples.image_retraining.pictures import write_grid

_BATCH_SIZE = 64
_MOST_IMAGES = 40
_SHOWN_SIZE = (96, 96)


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What a classifier answered.

    Attributes:
        files: The files that were classified.
        answers: The number of the label that the classifier gave each, int64 of shape [size].
    """

    files: LabelledFiles
    answers: np.ndarray

    @property
    def accuracy(self) -> float:
        """The share of right answers, from 0 to 1."""
        return float(np.mean(self.answers == self.files.labels))

    def count_answers(self, labels: int) -> np.ndarray:
        """Returns the confusion matrix: int64 [right label, given label]."""
        matrix: np.ndarray = np.zeros([labels, labels], np.int64)
        np.add.at(matrix, (self.files.labels, self.answers), 1)
        return matrix

    def find_errors(self) -> np.ndarray:
        """Returns the indices of the files that were given a wrong label."""
        return np.flatnonzero(self.answers != self.files.labels)


def evaluate(
    compute_logits: Callable[[np.ndarray], np.ndarray],
    files: LabelledFiles,
    image_size: Sequence[int],
) -> Evaluation:
    """Classifies image files.

    Args:
        compute_logits: A function from images, float32 [batch, height, width, 3], to float32
            [batch, labels].
        files: The files to classify.
        image_size: [height, width] in pixels that `compute_logits` expects.
    """
    answers = [
        np.argmax(compute_logits(read_images(batch, image_size)), axis=1)
        for batch in split_into_batches(files.paths, _BATCH_SIZE)
    ]
    return Evaluation(files, np.concatenate(answers))


def format_matrix(matrix: np.ndarray, names: Sequence[str]) -> str:
    """Formats a confusion matrix as a table, with a row for each right label."""
    width = max(map(len, names))
    cell = max(width, len(str(matrix.max()))) + 2
    header = " " * width + "".join(f"{name:>{cell}}" for name in names)
    rows = [
        f"{name:<{width}}" + "".join(f"{count:>{cell}}" for count in row)
        for name, row in zip(names, matrix, strict=True)
    ]
    return "\n".join([header, *rows])


def write_errors(path: str, evaluation: Evaluation, names: Sequence[str]) -> int:
    """Writes a PNG file with wrongly classified images, and what each was taken for.

    Args:
        path: The path of the file; it is not written if every answer is right.
        evaluation: What the classifier answered.
        names: The names of the labels.

    Returns:
        The number of errors; the first 40 are in the picture.
    """
    errors = evaluation.find_errors()
    shown = errors[:_MOST_IMAGES]
    if len(shown):
        images = read_images([evaluation.files.paths[row] for row in shown], _SHOWN_SIZE)
        captions = [
            (names[evaluation.files.labels[row]], f"> {names[evaluation.answers[row]]}")
            for row in shown
        ]
        write_grid(path, images, captions)
    return len(errors)

"""Sentences of reviews, and whether each is positive."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Examples:
    """Sentences, and for each whether it is positive (1) or negative (0).

    Attributes:
      sentences: object array of str, of shape [size].
      labels: float32 of shape [size].
    """

    sentences: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: np.ndarray) -> Examples:
        return Examples(self.sentences[rows], self.labels[rows])


def read_examples(path: str) -> Examples:
    """Reads lines of source, label (0 or 1) and sentence, with tabs between them.

    Sentences are made lower case, as the words of GloVe are, and each is kept once,
    so that none can be in two parts of a split.
    """
    with open(path, encoding="utf-8", newline="\r\n") as file:
        rows = [line.rstrip("\r\n").split("\t") for line in file]
    labels = {sentence.lower(): float(label) for _, label, sentence in rows}
    return Examples(
        np.array(list(labels.keys()), dtype=object), np.array(list(labels.values()), np.float32)
    )


def split(examples: Examples, held_out: int, seed: int) -> tuple[Examples, Examples]:
    """Returns all but `held_out` randomly chosen examples, and those."""
    order = np.random.default_rng(seed).permutation(len(examples))
    return examples[order[held_out:]], examples[order[:held_out]]

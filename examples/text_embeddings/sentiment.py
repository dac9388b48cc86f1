"""Reads labelled sentences of reviews."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Examples:
    """Sentences with labels: positive (1) or negative (0).

    Attributes:
      sentences: The sentences, an object array of str of shape [size].
      labels: The labels, float32 of shape [size].
    """

    sentences: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: np.ndarray) -> Examples:
        return Examples(self.sentences[rows], self.labels[rows])


def read_examples(path: str) -> Examples:
    """Reads lines of source, label (0 or 1) and sentence, with tabs between them.

    Makes sentences lower case, as the words of GloVe are, and keeps each only once, so that no
    sentence is in both parts of a split.
    """
    with open(path, encoding="utf-8", newline="\r\n") as file:
        rows = [line.rstrip("\r\n").split("\t") for line in file]
    labels = {sentence.lower(): float(label) for _, label, sentence in rows}
    return Examples(
        np.array(list(labels.keys()), dtype=object), np.array(list(labels.values()), np.float32)
    )


def split_examples(examples: Examples, held_out: int, seed: int) -> tuple[Examples, Examples]:
    """Splits examples at random.

    Args:
        examples: The examples to split.
        held_out: The number of examples in the second part.
        seed: The seed of the random choice.

    Returns:
        The examples to train on, and those that are held out.
    """
    order = np.random.default_rng(seed).permutation(len(examples))
    return examples[order[held_out:]], examples[order[:held_out]]

"""Trains a classifier of sentences, in graph mode, on a module that embeds them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

import hubmodule as hub

tf1 = tf.compat.v1


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

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[Examples]:
        """Yields all examples in random order, `size` at a time; the last may be fewer."""
        order = rng.permutation(len(self))
        for start in range(0, len(self), size):
            yield self[order[start : start + size]]


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


@dataclasses.dataclass(frozen=True)
class Weights:
    """What a trained classifier has learned besides the module.

    Attributes:
      kernel: float32 of shape [dimension].
      bias: a float32.
    """

    kernel: np.ndarray
    bias: np.float32


@dataclasses.dataclass(frozen=True)
class Training:
    """How to train.

    Attributes:
      epochs: how often each example is used.
      learning_rate: of the Adagrad optimiser.
      batch_size: examples per step.
      seed: of the order of the examples.
    """

    epochs: int
    learning_rate: float = 0.1
    batch_size: int = 32
    seed: int = 0


class Classifier:
    """Logistic regression on the embeddings that a module gives, in a graph of its own.

    A context manager, which closes the session at its end.
    """

    def __init__(
        self,
        module: str,
        training: Training,
        trainable: bool = False,
        start: Weights | None = None,
    ):
        """Builds the graph and initialises it.

        Args:
          module: the handle of a module with a string input of shape [batch] and an
            output of shape [batch, dimension].
          training: how to train.
          trainable: whether the module is trained as well.
          start: the weights to begin with; None: zeros.
        """
        self._training = training
        self._graph = tf.Graph()
        with self._graph.as_default():
            self._module = hub.Module(module, trainable=trainable)
            self._sentences = tf1.placeholder(tf.string, [None])
            self._labels = tf1.placeholder(tf.float32, [None])
            self._embeddings = self._module(self._sentences)
            if start is None:
                start = Weights(np.zeros(self._embeddings.shape[1], np.float32), np.float32(0))
            self._kernel = tf1.get_variable("kernel", initializer=start.kernel)
            self._bias = tf1.get_variable("bias", initializer=start.bias)
            self._logits = tf.linalg.matvec(self._embeddings, self._kernel) + self._bias
            # A trainable module adds its losses to the collection that this sums.
            self._regularization_loss = tf1.losses.get_regularization_loss()
            self._step = self._training_step()
            self._session = tf1.Session()
            self._session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])

    def _training_step(self) -> tf.Operation:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(self._labels, self._logits)
        loss = tf.reduce_mean(losses) + self._regularization_loss
        # Adam would shrink the vectors of words that no example has to zero: it makes steps
        # of one length of all gradients, and theirs, from the regularisation, are never 0.
        optimizer = tf1.train.AdagradOptimizer(
            self._training.learning_rate, initial_accumulator_value=1e-3
        )
        return optimizer.minimize(loss)

    def train(self, examples: Examples) -> tuple[int, float]:
        """Trains, and returns the number of steps and the seconds that each took on average."""
        rng = np.random.default_rng(self._training.seed)
        steps = 0
        begin = time.perf_counter()
        for _ in range(self._training.epochs):
            for batch in examples.batches(self._training.batch_size, rng):
                feed = {self._sentences: batch.sentences, self._labels: batch.labels}
                self._session.run(self._step, feed)
                steps += 1
        return steps, (time.perf_counter() - begin) / steps

    def accuracy(self, examples: Examples) -> float:
        """The share of the examples that get their label."""
        logits = self._session.run(self._logits, {self._sentences: examples.sentences})
        return float(np.mean((logits > 0) == (examples.labels > 0)))

    def embed(self, sentences: np.ndarray) -> np.ndarray:
        """The embeddings of sentences as they are now: float32 of shape [size, dimension]."""
        return self._session.run(self._embeddings, {self._sentences: sentences})

    def regularization_loss(self) -> float:
        """What the module as it is now adds to the loss; 0 if it is frozen."""
        return float(self._session.run(self._regularization_loss))

    def weights(self) -> Weights:
        """What the classifier has learned by now, without the module."""
        return Weights(*self._session.run([self._kernel, self._bias]))

    def export_module(self, path: str) -> None:
        """Writes the module as it is now."""
        with self._graph.as_default():
            self._module.export(path, self._session)

    def __enter__(self) -> Classifier:
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()

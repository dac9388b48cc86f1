"""Trains a classifier on the features that a module computes, with the module frozen or not."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import tensorflow as tf

import hubmodule as hub
from examples.image_retraining.bottlenecks import BottleneckCache
from examples.image_retraining.images import ImageFiles, LabelledFiles, read_images

tf1 = tf.compat.v1

_VALIDATION_STEPS = 50


@dataclasses.dataclass(frozen=True)
class Training:
    """How to train.

    Attributes:
        module: The handle of an image feature vector module.
        fine_tune: Whether to train the module, too; else its feature vectors are kept on disk.
        steps: The number of training steps.
        learning_rate: The learning rate of Adam.
        batch_size: The number of images in a step.
        seed: The seed of the order of images, and of the initial weights.
    """

    module: str
    fine_tune: bool = False
    steps: int = 300
    learning_rate: float = 0.01
    batch_size: int = 32
    seed: int = 1


def add_classifier(
    features_spec: hub.ModuleSpec,
    images: tf.Tensor,
    labels: int,
    *,
    trainable: bool = False,
    is_training: bool = False,
) -> tuple[hub.Module, tf.Tensor]:
    """Adds the module for features and the classifier to the graph.

    Args:
        features_spec: The image feature vector module.
        images: The images, float32 of shape [batch, height, width, 3] from 0 to 1.
        labels: The number of labels.
        trainable: Whether to train the module.
        is_training: Whether to use the variant {"train"} of the module, if it has one.

    Returns:
        The module, and the logits, float32 of shape [batch, labels].
    """
    has_variant = {"train"} in [set(tags) for tags in features_spec.get_tags()]
    tags = {"train"} if is_training and has_variant else None
    module = hub.Module(features_spec, trainable=trainable, name="features", tags=tags)
    return module, add_head(module(images), labels)


def add_head(features: tf.Tensor, labels: int) -> tf.Tensor:
    """Adds a linear layer from features [batch, N] to logits [batch, labels]."""
    with tf1.variable_scope("head", use_resource=True):
        kernel = tf1.get_variable("kernel", [features.shape[1], labels])
        bias = tf1.get_variable("bias", [labels], initializer=tf1.zeros_initializer())
    return tf.matmul(features, kernel) + bias


def train(
    training: Training,
    files: ImageFiles,
    cache: BottleneckCache,
    log_dir: str,
    report: Callable[[str], None],
) -> str:
    """Trains a classifier, and writes checkpoints, and summaries for TensorBoard.

    Args:
        training: How to train.
        files: The images to train and to validate with.
        cache: The feature vectors of the module; they are used if it is frozen.
        log_dir: The directory for checkpoints, and for summaries in `train` and `validation`.
        report: Called with lines about the progress.

    Returns:
        The prefix of the last checkpoint. It has the variables of `add_classifier()`.
    """
    random = np.random.default_rng(training.seed)
    model = _Model(training, files, cache, log_dir, "train")
    validation_model = _Model(training, files, cache, log_dir, "validation")
    prefix = os.path.join(log_dir, "model")
    checkpoint = ""
    for step in range(1, training.steps + 1):
        rows = random.choice(len(files.training), min(training.batch_size, len(files.training)))
        model.train(_choose_files(files.training, rows))
        if step % _VALIDATION_STEPS == 0 or step == training.steps:
            model.summarize(_choose_files(files.training, rows), step)
            checkpoint = model.save(prefix, step)
            # The graph for training normalises by the batch; this one, by the moving averages.
            validation_model.restore(checkpoint)
            loss, accuracy = validation_model.summarize(files.validation, step)
            report(f"step {step:4}  validation: accuracy {accuracy:.1%}, loss {loss:.3f}")
    model.close()
    validation_model.close()
    return checkpoint


def _choose_files(files: LabelledFiles, rows: np.ndarray) -> LabelledFiles:
    return LabelledFiles(tuple(files.paths[row] for row in rows), files.labels[rows])


class _Model:
    """A graph for training or for validation, with its session and its log."""

    def __init__(
        self,
        training: Training,
        files: ImageFiles,
        cache: BottleneckCache,
        log_dir: str,
        purpose: Literal["train", "validation"],
    ):
        is_training = purpose == "train"
        spec = hub.load_module_spec(training.module)
        size = hub.get_expected_image_size(spec)
        labels = len(files.names)
        with tf.Graph().as_default() as graph:
            tf1.set_random_seed(training.seed)
            images = tf1.placeholder(tf.float32, [None, *size, 3])
            if training.fine_tune:
                _, logits = add_classifier(
                    spec, images, labels, trainable=is_training, is_training=is_training
                )
                self._inputs = images
                self._read_inputs: Callable[[Sequence[str]], np.ndarray] = functools.partial(
                    read_images, size=size
                )
            else:
                # The module is here for the checkpoint; its outputs come from the cache.
                features = hub.Module(spec, name="features")(images)
                self._inputs = tf1.placeholder(tf.float32, features.shape)
                logits = add_head(self._inputs, labels)
                self._read_inputs = cache.read
            self._labels = tf1.placeholder(tf.int64, [None])
            cross_entropy = tf1.losses.sparse_softmax_cross_entropy(self._labels, logits)
            is_right = tf.equal(tf.argmax(logits, 1), self._labels)
            self._metrics = [cross_entropy, tf.reduce_mean(tf.cast(is_right, tf.float32))]
            for name, value in zip(("loss", "accuracy"), self._metrics, strict=True):
                tf1.summary.scalar(name, value)
            variables = tf1.global_variables()
            for variable in variables:
                if variable.op.name.startswith("head/"):
                    tf1.summary.histogram(f"{variable.op.name}/values", variable)
            self._summaries = tf1.summary.merge_all()
            self._saver = tf1.train.Saver(variables, max_to_keep=None)
            if is_training:
                # A trainable module brings regularisation losses and update ops.
                loss = cross_entropy + tf1.losses.get_regularization_loss()
                optimizer = tf1.train.AdamOptimizer(training.learning_rate)
                with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
                    self._train_op = optimizer.minimize(loss)
            self._writer = tf1.summary.FileWriter(os.path.join(log_dir, purpose), graph)
            initializer = tf1.global_variables_initializer()
        self._session = tf1.Session(graph=graph)
        self._session.run(initializer)

    def train(self, files: LabelledFiles) -> None:
        """Makes a step of training with all of the files."""
        self._session.run(self._train_op, self._feed(files))

    def summarize(self, files: LabelledFiles, step: int) -> tuple[float, float]:
        """Writes summaries of all of the files, and returns their loss and accuracy."""
        fetches = [self._summaries, *self._metrics]
        summaries, loss, accuracy = self._session.run(fetches, self._feed(files))
        self._writer.add_summary(summaries, step)
        return float(loss), float(accuracy)

    def _feed(self, files: LabelledFiles) -> dict[tf.Tensor, np.ndarray]:
        return {self._inputs: self._read_inputs(files.paths), self._labels: files.labels}

    def save(self, prefix: str, step: int) -> str:
        """Writes a checkpoint, and returns its prefix."""
        with self._session.graph.as_default():
            return self._saver.save(self._session, prefix, step, write_meta_graph=False)

    def restore(self, checkpoint: str) -> None:
        """Reads the variables from a checkpoint."""
        with self._session.graph.as_default():
            self._saver.restore(self._session, checkpoint)

    def close(self) -> None:
        """Closes the session and the log."""
        self._session.close()
        self._writer.close()

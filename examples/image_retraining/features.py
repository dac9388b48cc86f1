"""Trains a small network on images of shapes, and publishes it as an image feature vector module.

    python features.py --export_path=/modules/shape_features

The module follows the common signature for image feature vectors: the input `images` is float32
of shape [batch, 32, 32, 3] from 0 to 1, the output `default` is float32 of shape [batch, 64]. Its
graph variant {"train"} normalises by the batch, and has update ops; the variant without tags
normalises by the moving averages.
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
from examples.image_retraining.shapes import IMAGE_SIZE, SOURCE_SHAPES, draw_images

tf1 = tf.compat.v1

FEATURES = 64
_CHANNELS = (16, 32, 48, FEATURES)
_MOMENTUM = 0.9
_IMAGES_PER_SHAPE = 160
_BATCH_SIZE = 48
_LEARNING_RATE = 1e-2


def publish_features(export_path: str, steps: int, seed: int) -> float:
    """Trains the network on SOURCE_SHAPES, and publishes it without its last layer.

    Args:
        export_path: The directory that becomes the module.
        steps: The number of training steps.
        seed: The seed of the images, of their order and of the initial weights.

    Returns:
        The accuracy on the last ten batches of the training.
    """
    spec = hub.create_module_spec(
        _module_fn, [(set(), {"is_training": False}), ({"train"}, {"is_training": True})]
    )
    with tempfile.TemporaryDirectory() as directory:
        checkpoint, accuracy = _train(os.path.join(directory, "network"), steps, seed)
        spec.export(export_path, checkpoint_path=checkpoint)
    return accuracy


def _module_fn(is_training: bool) -> None:
    images = tf1.placeholder(tf.float32, [None, IMAGE_SIZE, IMAGE_SIZE, 3], "images")
    features = _compute_features(images, is_training)
    for name in ("default", "image_feature_vector"):
        hub.add_signature(name, {"images": images}, {"default": features})
    size = {"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    hub.attach_image_module_info(hub.ImageModuleInfo(default_image_size=size))


def _compute_features(images: tf.Tensor, is_training: bool) -> tf.Tensor:
    """Adds the network: images [batch, height, width, 3] to features [batch, FEATURES]."""
    value = images * 2 - 1
    for number, channels in enumerate(_CHANNELS):
        with tf1.variable_scope(f"layer_{number}"):
            kernel = tf1.get_variable(
                "kernel",
                [3, 3, value.shape[-1], channels],
                initializer=tf1.initializers.he_normal(seed=number),
                regularizer=lambda weights: 1e-4 * tf.nn.l2_loss(weights),
            )
            value = tf.nn.conv2d(value, kernel, 1, "SAME")
            value = tf.nn.relu(_normalize(value, is_training))
            value = tf.nn.max_pool2d(value, 2, 2, "SAME")
    return tf.reduce_max(value, [1, 2])


def _normalize(value: tf.Tensor, is_training: bool) -> tf.Tensor:
    """Adds batch normalisation; in training it adds the update ops of the moving averages."""
    shape = value.shape[-1:]
    scale = tf1.get_variable("scale", shape, initializer=tf1.ones_initializer())
    offset = tf1.get_variable("offset", shape, initializer=tf1.zeros_initializer())
    moving = [
        tf1.get_variable(name, shape, initializer=initializer, trainable=False)
        for name, initializer in (
            ("moving_mean", tf1.zeros_initializer()),
            ("moving_variance", tf1.ones_initializer()),
        )
    ]
    if not is_training:
        return tf.nn.batch_normalization(value, *moving, offset, scale, 1e-3)
    batch = tf.nn.moments(value, [0, 1, 2])
    for average, current in zip(moving, batch, strict=True):
        update = average.assign_sub((average - current) * (1 - _MOMENTUM))
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
    return tf.nn.batch_normalization(value, *batch, offset, scale, 1e-3)


def _train(checkpoint: str, steps: int, seed: int) -> tuple[str, float]:
    """Trains the network, and returns its checkpoint and the accuracy at the end."""
    random = np.random.default_rng(seed)
    images = [draw_images(shape, _IMAGES_PER_SHAPE, random) for shape in SOURCE_SHAPES.values()]
    all_images = np.concatenate(images)
    all_labels: np.ndarray = np.repeat(np.arange(len(images)), _IMAGES_PER_SHAPE)
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(seed)
        # As in a module_fn: the checkpoint is for resource variables.
        tf1.get_variable_scope().set_use_resource(True)
        image_batch = tf1.placeholder(tf.float32, [None, *all_images.shape[1:]])
        label_batch = tf1.placeholder(tf.int64, [None])
        features = _compute_features(image_batch, is_training=True)
        saver = tf1.train.Saver(tf1.global_variables())
        kernel = tf1.get_variable("logits", [FEATURES, len(images)])
        logits = tf.matmul(features, kernel)
        loss = tf1.losses.sparse_softmax_cross_entropy(label_batch, logits)
        loss += tf1.losses.get_regularization_loss()
        with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
            train_op = tf1.train.AdamOptimizer(_LEARNING_RATE).minimize(loss)
        is_right = tf.equal(tf.argmax(logits, 1), label_batch)
        session.run(tf1.global_variables_initializer())
        last: list[np.ndarray] = []
        for _ in range(steps):
            rows = random.choice(len(all_labels), _BATCH_SIZE, replace=False)
            feed = {image_batch: all_images[rows], label_batch: all_labels[rows]}
            last = [*last[-9:], session.run([is_right, train_op], feed)[0]]
        return saver.save(session, checkpoint, write_meta_graph=False), float(np.mean(last))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program, and returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--export_path", required=True, help="the directory of the module")
    parser.add_argument("--steps", type=int, default=300, help="training steps; default: 300")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the choices; default: 1")
    parsed = parser.parse_args(arguments)
    accuracy = publish_features(parsed.export_path, parsed.steps, parsed.seed)
    print(f"The network names {accuracy:.1%} of the shapes that it was trained on")
    print(f"The module is in {parsed.export_path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

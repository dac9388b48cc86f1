"""Makes the modules and files that the cases use, all of them in one folder.

    python -m benchmarks.modules FOLDER (NAME ... | LAYERS ...)

Makes those of MAKERS with these names; or, for numbers of layers, modules of these sizes, in
folders of these names, and prints how many nodes each has.

`large` is like a network for images: 90 layers of a convolution and a batch
normalisation, which are 450 variables and 6,800 nodes.
"""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

import hubmodule as hub
from benchmarks.glove import link_to_text

tf1 = tf.compat.v1

LAYERS = 90
CHANNELS = 4
SIGNATURES = 40
HEAVY_LAYERS = 64  # of 16 MiB each
ARCHIVE_BYTES = 128_000_000


def main() -> None:
    """Writes the modules into the folder that the command line names."""
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    if all(name.isdecimal() for name in names):
        print([_write_network(folder / name / "large", int(name)) for name in names])
        return
    for name in names:
        MAKERS[name](folder / name)


def _write_network(path: Path, layers: int) -> int:
    """Publishes a network, and returns the number of nodes of its variant without tags."""
    path.parent.mkdir(exist_ok=True)
    variants = [(set(), {"training": False}), ({"train"}, {"training": True})]
    write(path, make_network(layers), variants)
    content = path.joinpath("saved_model.pb").read_bytes()
    meta_graphs = SavedModel.FromString(content).meta_graphs
    return next(len(m.graph_def.node) for m in meta_graphs if not m.meta_info_def.tags)


def write(path: Path, module_fn: Callable[..., None], variants: list[Any] | None = None) -> None:
    """Publishes a module with the values of its initialisers."""
    spec = hub.create_module_spec(module_fn, variants)
    tags = variants[-1][0] if variants else None
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(spec, tags=tags)
        session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])
        module.export(str(path), session)


def make_network(layers: int) -> Callable[..., None]:
    """Makes a module_fn of convolutions and normalisations of images of shape [batch, 8, 8, 4].

    As modules for images do, it has a second signature, `augmented`, which changes the images
    at random, and then computes the same.
    """

    def module_fn(training: bool = False) -> None:
        for signature in ["default", "augmented"]:
            images = tf1.placeholder(tf.float32, [None, 8, 8, CHANNELS])
            features = images if signature == "default" else _augment(images)
            for layer in range(layers):
                with tf1.variable_scope(f"layer_{layer}", reuse=signature != "default"):
                    features = _add_layer(features, training)
            hub.add_signature(signature, {"images": images}, {"default": features})

    return module_fn


def _augment(images: tf.Tensor) -> tf.Tensor:
    flipped = tf.reverse(images, [2])
    shape = [tf.shape(images)[0], 1, 1, 1]
    images = tf.where(tf.random.uniform(shape) < 0.5, flipped, images)
    return images * tf.random.uniform(shape, 0.8, 1.2) + tf.random.uniform(shape, -0.1, 0.1)


def _add_layer(features: tf.Tensor, training: bool) -> tf.Tensor:
    """Adds a layer: five variables, and in training two update ops and a loss."""
    kernel = tf1.get_variable(
        "kernel",
        [3, 3, CHANNELS, CHANNELS],
        initializer=tf1.truncated_normal_initializer(stddev=0.2),
        regularizer=_regularize,
    )
    near_one = tf1.random_normal_initializer(1.0, 0.02)
    ones, zeros = tf1.ones_initializer(), tf1.zeros_initializer()
    gamma = tf1.get_variable("gamma", [CHANNELS], initializer=near_one)
    beta = tf1.get_variable("beta", [CHANNELS], initializer=zeros)
    mean = tf1.get_variable("mean", [CHANNELS], initializer=zeros, trainable=False)
    variance = tf1.get_variable("variance", [CHANNELS], initializer=ones, trainable=False)
    features = tf.nn.conv2d(features, kernel, strides=1, padding="SAME")
    if training:
        batch_mean, batch_variance = tf.nn.moments(features, [0, 1, 2])
        for variable, value in [(mean, batch_mean), (variance, batch_variance)]:
            update = variable.assign_sub(0.01 * (variable - value))
            tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
    else:
        batch_mean, batch_variance = mean, variance
    normalised = tf.nn.batch_normalization(
        features, batch_mean, batch_variance, beta, gamma, variance_epsilon=1e-3
    )
    return tf.nn.relu(normalised) + features


def _regularize(weights: tf.Tensor) -> tf.Tensor:
    return 1e-4 * tf.nn.l2_loss(weights)


def _write_wide(path: Path) -> None:
    """Publishes five times `large`, in training, as a variant that TensorFlow's tools can name."""
    write(path, make_network(5 * LAYERS), [({"serve"}, {"training": True})])


def make_towers(count: int) -> Callable[[], None]:
    """Makes a module_fn with signatures tower_0 and so on, which share no variables."""

    def module_fn() -> None:
        for tower in range(count):
            images = tf1.placeholder(tf.float32, [None, 8, 8, CHANNELS])
            features = images
            for layer in range(10):
                with tf1.variable_scope(f"tower_{tower}_layer_{layer}"):
                    features = _add_layer(features, training=False)
            hub.add_signature(f"tower_{tower}", {"images": images}, {"default": features})

    return module_fn


def build_heavy() -> None:
    """Builds a module with 1 GiB of variables; a module_fn."""
    features = tf1.placeholder(tf.float32, [None, 2048])
    outputs = features
    for layer in range(HEAVY_LAYERS):
        initializer = tf1.random_uniform_initializer(-0.05, 0.05)
        kernel = tf1.get_variable(f"kernel_{layer}", [2048, 2048], initializer=initializer)
        outputs = tf.nn.relu(tf.matmul(outputs, kernel))
    hub.add_signature(inputs=features, outputs=outputs)


def embed_text() -> None:
    """Builds a module of sentences: the mean of the vectors of their words; a module_fn."""
    sentences = tf1.placeholder(tf.string, [None])
    words = tf.strings.split(sentences).to_sparse()
    ids = tf.strings.to_hash_bucket_fast(words.values, 2000)
    vectors = tf1.get_variable("embeddings", [2000, 50])
    rows = tf.SparseTensor(words.indices, ids, words.dense_shape)
    outputs = tf.nn.safe_embedding_lookup_sparse(vectors, rows, combiner="sqrtn")
    hub.add_signature(inputs=sentences, outputs=outputs)


def transform_numbers() -> None:
    """Builds a module of two dense layers of 16 units; a module_fn."""
    outputs = features = tf1.placeholder(tf.float32, [None, 16])
    for layer in range(2):
        outputs = tf.nn.relu(tf.matmul(outputs, tf1.get_variable(f"kernel_{layer}", [16, 16])))
    hub.add_signature(inputs=features, outputs=outputs)


def _write_archive(path: Path) -> None:
    """Packs random weights, which compress as little as trained ones."""
    numbers = np.random.default_rng(0).standard_normal(ARCHIVE_BYTES // 4, np.float32)
    weights = numbers.tobytes()
    files = {
        "saved_model.pb": weights[:250_000],
        "variables/variables.index": weights[:2000],
        "variables/variables.data-00000-of-00001": weights,
    }
    with tarfile.open(path, "w:gz", compresslevel=6) as archive:
        directory = tarfile.TarInfo("variables")
        directory.type, directory.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(directory)
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))


MAKERS: dict[str, Callable[[Path], object]] = {
    "large": lambda path: _write_network(path, LAYERS),
    "one_signature": lambda path: write(path, make_towers(1)),
    "many_signatures": lambda path: write(path, make_towers(SIGNATURES)),
    "heavy": lambda path: write(path, build_heavy),
    "text": lambda path: write(path, embed_text),
    "numbers": lambda path: write(path, transform_numbers),
    "archive": _write_archive,
    "wide": _write_wide,
    "glove": link_to_text,
}

if __name__ == "__main__":
    main()

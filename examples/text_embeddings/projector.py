"""Writes what TensorBoard's projector shows: a picture of the vectors, in which one can search.

tensorboard --logdir=DIRECTORY
"""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from examples.text_embeddings.store import Stored

# TensorBoard sends no more to the browser.
_MOST_ROWS = 100_000
_CONFIG = """\
embeddings {{
  tensor_name: "embeddings"
  tensor_path: "vectors.bytes"
  tensor_shape: {rows}
  tensor_shape: {dimension}
  metadata_path: "tokens.tsv"
}}
"""


def check_directory(directory: str) -> None:
    """Checks that nothing is there yet that `write_projector` would have to replace.

    Raises:
        FileExistsError: there is.
    """
    config = os.path.join(directory, "projector_config.pbtxt")
    if tf.io.gfile.exists(config):
        raise FileExistsError(f"{config} exists already; delete it, or give another directory.")


def write_projector(stored: Stored, directory: str) -> None:
    """Writes a directory for `tensorboard --logdir`, of the first words.

    Args:
        stored: the embeddings.
        directory: is made if it is not there.
    """
    rows = min(stored.words, _MOST_ROWS)
    tf.io.gfile.makedirs(directory)
    vectors = stored.vectors()[:rows].astype(np.float32)
    _write(directory, "vectors.bytes", vectors.tobytes())
    with open(stored.vocabulary_file, encoding="utf-8", newline="\n") as file:
        # In the metadata a tab would start another column.
        labels = [next(file).replace("\t", " ") for _ in range(rows)]
    _write(directory, "tokens.tsv", "".join(labels).encode())
    # Last, as with it TensorBoard takes the directory for complete.
    config = _CONFIG.format(rows=rows, dimension=stored.dimension)
    _write(directory, "projector_config.pbtxt", config.encode())


def _write(directory: str, name: str, content: bytes) -> None:
    with tf.io.gfile.GFile(os.path.join(directory, name), "wb") as file:
        file.write(content)

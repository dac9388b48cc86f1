"""Writes what TensorBoard's projector shows: a picture of the vectors, in which one can search.

tensorboard --logdir=DIRECTORY
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from examples.text_embeddings.store import Stored

# TensorBoard sends no more to the browser.
_MOST_ROWS = 100_000
_FILES = ("vectors.bytes", "tokens.tsv", "projector_config.pbtxt")
_CONFIG = """\
embeddings {{
  tensor_name: "embeddings"
  tensor_path: "vectors.bytes"
  tensor_shape: {rows}
  tensor_shape: {dimension}
  metadata_path: "tokens.tsv"
}}
"""


def check_directory(directory: str, module: str) -> None:
    """Checks that nothing is there yet that `projector_written` would have to replace.

    Args:
        directory: what is to be checked.
        module: the directory that becomes the module.

    Raises:
        FileExistsError: there is.
        ValueError: the directory is in that of the module, or has no name.
    """
    real, real_module = os.path.realpath(directory), os.path.realpath(module)
    if not directory or os.path.commonpath([real, real_module]) == real_module:
        raise ValueError(
            f"The projector's directory is '{directory}', which is empty or in that of the module; "
            "give another one."
        )
    for name in _FILES:
        path = os.path.join(directory, name)
        if tf.io.gfile.exists(path):
            raise FileExistsError(f"{path} exists already; delete it, or give another directory.")


@contextlib.contextmanager
def projector_written(stored: Stored, directory: str) -> Iterator[None]:
    """Writes a directory for `tensorboard --logdir`, of the first words.

    It is gone again if that fails, or what is done within the context.

    Args:
        stored: the embeddings.
        directory: is made if it is not there.
    """
    had_directory = tf.io.gfile.exists(directory)
    try:
        tf.io.gfile.makedirs(directory)
        _write_all(stored, directory)
        yield
    except BaseException:
        paths = [os.path.join(directory, name) for name in _FILES]
        for path in filter(tf.io.gfile.exists, paths):
            tf.io.gfile.remove(path)
        if (
            not had_directory
            and tf.io.gfile.isdir(directory)
            and not tf.io.gfile.listdir(directory)
        ):
            tf.io.gfile.rmtree(directory)
        raise


def _write_all(stored: Stored, directory: str) -> None:
    rows = min(stored.words, _MOST_ROWS)
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

"""Writes the files from which TensorBoard's projector shows vectors and finds neighbours.

tensorboard --logdir=DIRECTORY
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from examples.text_embeddings.store import StoredEmbeddings

# TensorBoard does not send more to the browser.
_MOST_ROWS = 100_000
# TensorBoard considers the directory complete when it has the last one.
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


def check_directory(directory: str, module: str, overwrite: bool = False) -> None:
    """Checks that `write_projector` can write into a directory.

    Args:
        directory: The directory to check.
        module: The directory that becomes the module.
        overwrite: Whether files of an earlier call may be replaced.

    Raises:
        FileExistsError: If there are such files, and `overwrite` is False.
        ValueError: If `directory` is "", or is inside the directory of the module.
    """
    real, real_module = os.path.realpath(directory), os.path.realpath(module)
    if not directory or os.path.commonpath([real, real_module]) == real_module:
        raise ValueError(
            f"The projector's directory is '{directory}', which is empty or in that of the module; "
            "give another one."
        )
    for path in [os.path.join(directory, name) for name in _FILES]:
        if tf.io.gfile.exists(path) and not overwrite:
            raise FileExistsError(
                f"{path} exists already; give another directory, or --overwrite (in Python "
                "overwrite=True) to replace it."
            )


@contextlib.contextmanager
def write_projector(stored: StoredEmbeddings, directory: str) -> Iterator[None]:
    """Writes the first words and their vectors for `tensorboard --logdir`.

    The files get their names when the block ends. If the block fails, they are removed, and
    files of an earlier call stay.

    Args:
        stored: The embeddings.
        directory: The directory to write into; created if it does not exist.
    """
    had_directory = tf.io.gfile.exists(directory)
    try:
        tf.io.gfile.makedirs(directory)
        _write_all(stored, directory)
        yield
        for name in _FILES:
            temporary, final = _make_temporary_path(directory, name), os.path.join(directory, name)
            tf.io.gfile.rename(temporary, final, overwrite=True)
    except BaseException:
        for path in [_make_temporary_path(directory, name) for name in _FILES]:
            if tf.io.gfile.exists(path):
                tf.io.gfile.remove(path)
        if not had_directory and is_empty_directory(directory):
            tf.io.gfile.rmtree(directory)
        raise


def is_empty_directory(path: str) -> bool:
    """Whether a directory is at a path, and nothing is in it."""
    return tf.io.gfile.isdir(path) and not tf.io.gfile.listdir(path)


def _make_temporary_path(directory: str, name: str) -> str:
    return os.path.join(directory, f".tmp-{name}")


def _write_all(stored: StoredEmbeddings, directory: str) -> None:
    rows = min(stored.words, _MOST_ROWS)
    vectors: np.ndarray = stored.map_vectors()[:rows].astype(np.float32)
    _write(directory, "vectors.bytes", vectors.tobytes())
    with open(stored.vocabulary_file, encoding="utf-8", newline="\n") as file:
        # A tab in the metadata would start another column.
        labels = [next(file).replace("\t", " ") for _ in range(rows)]
    _write(directory, "tokens.tsv", "".join(labels).encode())
    config = _CONFIG.format(rows=rows, dimension=stored.dimension)
    _write(directory, "projector_config.pbtxt", config.encode())


def _write(directory: str, name: str, content: bytes) -> None:
    with tf.io.gfile.GFile(_make_temporary_path(directory, name), "wb") as file:
        file.write(content)

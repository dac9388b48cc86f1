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
# The last one makes TensorBoard take the directory for complete.
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
    """Checks that nothing is there yet that `projector_written` would have to replace.

    Args:
        directory: what is to be checked.
        module: the directory that becomes the module.
        overwrite: Whether files of an earlier call may be replaced.

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
    for path in [os.path.join(directory, name) for name in _FILES]:
        if tf.io.gfile.exists(path) and not overwrite:
            raise FileExistsError(
                f"{path} exists already; give another directory, or --overwrite (in Python "
                "overwrite=True) to replace it."
            )


@contextlib.contextmanager
def projector_written(stored: Stored, directory: str) -> Iterator[None]:
    """Writes a directory for `tensorboard --logdir`, of the first words.

    The files get their names when the block ends; if it fails, they are removed, and those of
    an earlier call stay.

    Args:
        stored: the embeddings.
        directory: is made if it is not there.
    """
    had_directory = tf.io.gfile.exists(directory)
    try:
        tf.io.gfile.makedirs(directory)
        _write_all(stored, directory)
        yield
        for name in _FILES:
            temporary, final = _temporary_path(directory, name), os.path.join(directory, name)
            tf.io.gfile.rename(temporary, final, overwrite=True)
    except BaseException:
        for path in [_temporary_path(directory, name) for name in _FILES]:
            if tf.io.gfile.exists(path):
                tf.io.gfile.remove(path)
        if not had_directory and is_empty_directory(directory):
            tf.io.gfile.rmtree(directory)
        raise


def is_empty_directory(path: str) -> bool:
    """Whether a directory is at a path, and nothing is in it."""
    return tf.io.gfile.isdir(path) and not tf.io.gfile.listdir(path)


def _temporary_path(directory: str, name: str) -> str:
    return os.path.join(directory, f".tmp-{name}")


def _write_all(stored: Stored, directory: str) -> None:
    rows = min(stored.words, _MOST_ROWS)
    vectors = stored.vectors()[:rows].astype(np.float32)
    _write(directory, "vectors.bytes", vectors.tobytes())
    with open(stored.vocabulary_file, encoding="utf-8", newline="\n") as file:
        # In the metadata a tab would start another column.
        labels = [next(file).replace("\t", " ") for _ in range(rows)]
    _write(directory, "tokens.tsv", "".join(labels).encode())
    config = _CONFIG.format(rows=rows, dimension=stored.dimension)
    _write(directory, "projector_config.pbtxt", config.encode())


def _write(directory: str, name: str, content: bytes) -> None:
    with tf.io.gfile.GFile(_temporary_path(directory, name), "wb") as file:
        file.write(content)

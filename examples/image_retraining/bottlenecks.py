"""Keeps the feature vectors of images on disk, so that a frozen module computes each only once.

<cache_dir>/<digest of the module>/<digest of the image>.npy

Digests are of the contents: a module published again at the same path, or another image under the
same name, is never mistaken for the old one.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

import hubmodule as hub
from examples.image_retraining.images import read_images, split_into_batches

_BATCH_SIZE = 64


class BottleneckCache:
    """The feature vectors that a module computes, on disk.

    Attributes:
        computed: The number of vectors that were computed, not read.
    """

    def __init__(self, module: str, cache_dir: str):
        self._module = module
        self._directory = Path(cache_dir) / _digest_directory(hub.resolve(module))
        self.computed = 0

    def read(self, paths: Sequence[str]) -> np.ndarray:
        """Returns the vectors of image files, float32 of shape [len(paths), N].

        Computes those that are not on disk.
        """
        files = [self._directory / f"{_digest_file(path)}.npy" for path in paths]
        missing = {file: path for file, path in zip(files, paths, strict=True) if not file.exists()}
        if missing:
            self._compute(missing)
        return np.stack([np.load(file) for file in files])

    def _compute(self, missing: dict[Path, str]) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        size = hub.get_expected_image_size(hub.load_module_spec(self._module))
        with hub.eval_function_for_module(self._module) as compute:
            for batch in split_into_batches(list(missing.items()), _BATCH_SIZE):
                vectors = compute(read_images([path for _, path in batch], size))
                for (file, _), vector in zip(batch, vectors, strict=True):
                    _write_array(file, vector)
                self.computed += len(batch)


def _write_array(path: Path, array: np.ndarray) -> None:
    """Writes a NumPy array, or nothing."""
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, array)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _digest_file(path: str) -> str:
    with tf.io.gfile.GFile(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:32]


def _digest_directory(path: str) -> str:
    """Returns a digest of the names and contents of the files in a directory.

    A module may be on any file system of TensorFlow.
    """
    lines = sorted(
        f"{directory.removeprefix(path).strip('/')}/{name} {_digest_file(f'{directory}/{name}')}"
        for directory, _, names in tf.io.gfile.walk(path)
        for name in names
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]

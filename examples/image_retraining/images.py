"""Finds labelled image files, and reads them as batches."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import tensorflow as tf

_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png"})
_BUCKETS = 100
_Item = TypeVar("_Item")


@dataclasses.dataclass(frozen=True)
class LabelledFiles:
    """Image files with labels.

    Attributes:
        paths: The paths of the files.
        labels: The number of the label of each file, int64 of shape [size].
    """

    paths: tuple[str, ...]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.paths)


@dataclasses.dataclass(frozen=True)
class ImageFiles:
    """The files to train with, to validate with, and to test with.

    Attributes:
        names: The names of the labels.
        training: The files that the classifier is trained on.
        validation: The files that are evaluated during the training.
        testing: The files that are evaluated once, at the end.
    """

    names: tuple[str, ...]
    training: LabelledFiles
    validation: LabelledFiles
    testing: LabelledFiles


def find_image_files(
    image_dir: str, validation_percentage: int, testing_percentage: int
) -> ImageFiles:
    """Finds the images in the directories in a directory, whose names are the labels.

    A hash of its label and name decides what a file is for. So it stays where it is when other
    files are added, and no file is ever both trained on and tested with.

    Args:
        image_dir: The directory with a directory for each label.
        validation_percentage: About how much of the files to validate with, in percent.
        testing_percentage: About how much of the files to test with, in percent.

    Raises:
        ValueError: If there are fewer than two labels, or if one of the three parts is empty.
    """
    directories = sorted(path for path in Path(image_dir).iterdir() if path.is_dir())
    if len(directories) < 2:
        raise ValueError(
            f"{image_dir} contains {len(directories)} directories; make one for each label, at "
            "least two, and put the images into them."
        )
    parts: list[list[tuple[str, int]]] = [[], [], []]
    for number, directory in enumerate(directories):
        for path in sorted(directory.rglob("*")):
            if path.suffix.lower() in _SUFFIXES:
                bucket = _hash_name(path.relative_to(image_dir).as_posix())
                part = 2 if bucket < testing_percentage + validation_percentage else 0
                part = 1 if bucket < validation_percentage else part
                parts[part].append((str(path), number))
    for name, part_files in zip(("train", "validate", "test"), parts, strict=True):
        if not part_files:
            raise ValueError(f"{image_dir} has too few images: none is left to {name} with.")
    return ImageFiles(tuple(path.name for path in directories), *map(_make_labelled_files, parts))


def _hash_name(name: str) -> int:
    """Returns a number from 0 to 99 that depends on the name alone."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % _BUCKETS


def _make_labelled_files(files: Sequence[tuple[str, int]]) -> LabelledFiles:
    return LabelledFiles(
        tuple(path for path, _ in files), np.array([label for _, label in files], np.int64)
    )


def read_images(paths: Sequence[str], size: Sequence[int]) -> np.ndarray:
    """Reads image files.

    Args:
        paths: The paths of the files.
        size: [height, width] in pixels, to which the images are resized.

    Returns:
        The images, float32 of shape [len(paths), height, width, 3] from 0 to 1.

    Raises:
        ValueError: If a file is not an image.
    """
    return np.stack([_read_image(path, size) for path in paths])


def _read_image(path: str, size: Sequence[int]) -> np.ndarray:
    try:
        return decode_image(tf.io.read_file(path), size).numpy()
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(f"{path} cannot be read as an image: {error.message}") from error


def decode_image(encoded: tf.Tensor, size: Sequence[int]) -> tf.Tensor:
    """Decodes the bytes of an image file as float32 [height, width, 3] from 0 to 1."""
    image = tf.io.decode_image(encoded, 3, tf.float32, expand_animations=False)
    image.set_shape([None, None, 3])
    if image.shape.as_list()[:2] == list(size):
        return image
    return tf.clip_by_value(tf.image.resize(image, size, antialias=True), 0.0, 1.0)


def split_into_batches(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    """Splits items into batches; the last one may be smaller."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

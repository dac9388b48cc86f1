"""Turns a handle into a directory: paths, which are used in place."""

from __future__ import annotations

import tensorflow as tf

from hubmodule.errors import HandleNotFoundError


def resolve(handle: str) -> str:
    """The directory that a handle stands for.

    Args:
        handle: a path on any TensorFlow file system.

    Raises:
        HandleNotFoundError: if there is nothing.
    """
    if not tf.io.gfile.exists(handle):
        raise HandleNotFoundError(f"{handle} does not exist.")
    return handle

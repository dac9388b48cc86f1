"""Reads the files in assets/, and checks that those that the graph variants name are there."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Iterator

import tensorflow as tf

from hubmodule import files
from hubmodule.errors import ModuleFormatError
from hubmodule.inspection.facts import AssetFacts

DIRECTORY = "assets"
_PIECE_BYTES = 1 << 20


def read_assets(
    module_directory: str, named: Iterable[str], damage: list[str]
) -> tuple[AssetFacts, ...]:
    """Reads the files in assets/ of a module.

    Args:
        module_directory: The directory of the module.
        named: The names of the files that its graph variants use.
        damage: A list to which the function appends a sentence for each file that is missing,
            and for each name that points outside of assets/.

    Returns:
        The facts of each file, sorted by name.
    """
    directory = posixpath.join(module_directory, DIRECTORY)
    names = sorted(_walk(directory)) if tf.io.gfile.isdir(directory) else []
    for name in sorted(set(named)):
        try:
            path = files.join_inside(directory, name)
        except ModuleFormatError:
            damage.append(f"An asset is named {name!r}, which is outside of {DIRECTORY}/.")
            continue
        if posixpath.relpath(path, directory) not in names:
            damage.append(f"The asset {name!r} is missing in {DIRECTORY}/.")
    return tuple(_read_asset(directory, name) for name in names)


def _walk(directory: str, below: str = "") -> Iterator[str]:
    for entry in tf.io.gfile.listdir(posixpath.join(directory, below)):
        name = posixpath.join(below, entry.rstrip("/"))
        if tf.io.gfile.isdir(posixpath.join(directory, name)):
            yield from _walk(directory, name)
        else:
            yield name


def _read_asset(directory: str, name: str) -> AssetFacts:
    digest = hashlib.sha256()
    size = 0
    with tf.io.gfile.GFile(posixpath.join(directory, name), "rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    return AssetFacts(name, size, digest.hexdigest())

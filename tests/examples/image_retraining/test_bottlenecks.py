"""The feature vectors on disk."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

from examples.image_retraining.bottlenecks import BottleneckCache
from examples.image_retraining.images import read_images
from tests.examples.image_retraining.colours import SIZE, publish_module, write_images


@pytest.fixture
def paths(tmp_path):
    write_images(tmp_path / "images", 2)
    return sorted(str(path) for path in (tmp_path / "images").rglob("*.png"))


def test_vectors_are_those_of_the_module(tmp_path, paths):
    module = publish_module(tmp_path / "module", gain=2.0)
    vectors = BottleneckCache(module, str(tmp_path / "cache")).read(paths)
    np.testing.assert_allclose(vectors, 2 * read_images(paths, [SIZE, SIZE]).mean((1, 2)), 1e-5)


def test_each_vector_is_computed_once(tmp_path, paths):
    module = publish_module(tmp_path / "module")
    first = BottleneckCache(module, str(tmp_path / "cache"))
    before = first.read(paths[:3])
    second = BottleneckCache(module, str(tmp_path / "cache"))
    after = second.read(paths)
    assert (first.computed, second.computed) == (3, 1)
    np.testing.assert_array_equal(after[:3], before)


def test_another_module_at_the_same_path_is_not_mistaken(tmp_path, paths):
    cache = str(tmp_path / "cache")
    before = BottleneckCache(publish_module(tmp_path / "module", gain=1.0), cache).read(paths)
    after = BottleneckCache(publish_module(tmp_path / "module", gain=3.0), cache).read(paths)
    np.testing.assert_allclose(after, 3 * before, 1e-5)


def test_modules_on_other_file_systems_are_not_mistaken(tmp_path, paths):
    vectors = []
    for gain in (1.0, 3.0):
        local, remote = publish_module(tmp_path / "module", gain), f"ram://bottlenecks/{gain}"
        copy_tree(local, remote)
        vectors.append(BottleneckCache(remote, str(tmp_path / "cache")).read(paths))
    np.testing.assert_allclose(vectors[1], 3 * vectors[0], 1e-5)


def copy_tree(source, target):
    for directory, _, names in tf.io.gfile.walk(source):
        copied = f"{target}/{directory.removeprefix(source).strip('/')}".rstrip("/")
        tf.io.gfile.makedirs(copied)
        for name in names:
            tf.io.gfile.copy(f"{directory}/{name}", f"{copied}/{name}")


def test_another_image_at_the_same_path_is_not_mistaken(tmp_path, paths):
    cache = BottleneckCache(publish_module(tmp_path / "module"), str(tmp_path / "cache"))
    (before,) = cache.read(paths[:1])
    with open(paths[-1], "rb") as other, open(paths[0], "wb") as file:
        file.write(other.read())
    (after,) = cache.read(paths[:1])
    assert np.abs(after - before).max() > 0.5


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

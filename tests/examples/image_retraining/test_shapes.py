"""The images that the example draws."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

from examples.image_retraining import shapes

ALL = {**shapes.SOURCE_SHAPES, **shapes.TARGET_SHAPES}


@pytest.mark.parametrize("name", ALL)
def test_a_shape_has_an_inside_and_an_outside(name):
    ticks = np.linspace(-1, 1, 101)
    inside = ALL[name](ticks[None, :], ticks[:, None])
    assert inside.shape == (101, 101)
    assert 0.15 < inside.mean() < 0.8


def test_no_shape_is_learned_from_twice():
    assert not shapes.SOURCE_SHAPES.keys() & shapes.TARGET_SHAPES.keys()


def test_images_are_in_range_and_differ():
    images = shapes.draw_images(shapes.TARGET_SHAPES["bar"], 3, np.random.default_rng(0))
    assert (images.shape, images.dtype) == ((3, 32, 32, 3), np.float32)
    assert images.min() >= 0 and images.max() <= 1
    assert np.abs(images[0] - images[1]).max() > 0.3


def test_the_seed_decides(tmp_path):
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        shapes.main([f"--image_dir={path}", "--images_per_shape=2", f"--seed={seed}"])
    first, second, other = (
        [file.read_bytes() for file in sorted(path.rglob("*.png"))] for path in paths
    )
    assert len(first) == 2 * len(shapes.TARGET_SHAPES)
    assert first == second
    assert first != other


def test_files_are_images_in_directories_of_their_shapes(tmp_path):
    shapes.write_images(str(tmp_path / "images"), 1, seed=0)
    files = sorted((tmp_path / "images").rglob("*.*"))
    assert [file.parent.name for file in files] == sorted(shapes.TARGET_SHAPES)
    assert tf.io.decode_png(files[0].read_bytes()).shape == [32, 32, 3]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

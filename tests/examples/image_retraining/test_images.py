"""How image files are found, split and read."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

from examples.image_retraining import images
from tests.examples.image_retraining.colours import write_images


def test_each_file_has_one_use(tmp_path):
    write_images(tmp_path, 30)
    files = images.find_image_files(str(tmp_path), 20, 30)
    parts = (files.training, files.validation, files.testing)
    paths = [path for part in parts for path in part.paths]
    assert files.names == ("blue", "red")
    assert sorted(paths) == sorted(str(path) for path in tmp_path.rglob("*.png"))
    assert all(5 <= len(part) <= 45 for part in parts)
    for part in parts:
        right = [
            files.names[label] in path for path, label in zip(*vars(part).values(), strict=True)
        ]
        assert all(right)


def test_a_file_keeps_its_use_when_others_come(tmp_path):
    write_images(tmp_path, 20)
    before = images.find_image_files(str(tmp_path), 20, 30)
    for path in list(tmp_path.rglob("*.png")):
        path.with_name("more" + path.name).write_bytes(path.read_bytes())
    after = images.find_image_files(str(tmp_path), 20, 30)
    assert len(after.testing) > len(before.testing)
    assert {*before.testing.paths} <= {*after.testing.paths}
    assert {*before.training.paths} <= {*after.training.paths}


def test_without_directories(tmp_path):
    with pytest.raises(ValueError, match="contains 0 directories; make one for each label"):
        images.find_image_files(str(tmp_path), 10, 10)


def test_with_too_few_images(tmp_path):
    write_images(tmp_path, 1)
    with pytest.raises(ValueError, match="has too few images"):
        images.find_image_files(str(tmp_path), 10, 10)


def test_images_are_resized(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(tf.io.encode_png(np.full([7, 5, 3], 51, np.uint8)).numpy())
    (image,) = images.read_images([str(path)], [4, 6])
    assert image.shape == (4, 6, 3)
    np.testing.assert_allclose(image, 0.2, atol=1e-6)


def test_a_file_that_is_no_image_is_named(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(b"text")
    with pytest.raises(ValueError, match=r"image.png cannot be read as an image: "):
        images.read_images([str(path)], [2, 2])


def test_batches_have_every_item():
    assert list(images.split_into_batches("abcde", 2)) == ["ab", "cd", "e"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

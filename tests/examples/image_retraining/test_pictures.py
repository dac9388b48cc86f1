"""The grid of images with captions."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

from examples.image_retraining import pictures


def test_text():
    drawn = pictures.draw_text("l1")
    lines = ["".join("#" if ink else "." for ink in row) for row in drawn]
    assert lines == ["#....#..", "#...##..", "#....#..", "#....#..", "###.###."]


def test_an_unknown_character_is_a_dash():
    np.testing.assert_array_equal(pictures.draw_text("ä"), pictures.draw_text("-"))


def test_every_known_character_differs():
    known = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_> "
    drawn = {pictures.draw_text(character).tobytes() for character in known}
    assert len(drawn) == len(known)


def test_grid(tmp_path):
    path = str(tmp_path / "grid.png")
    images = np.stack([np.full([16, 16, 3], value, np.float32) for value in (0.2, 0.4, 0.6)])
    pictures.write_grid(path, images, [["a"], ["b"], ["a long caption"]], columns=2)
    picture = tf.io.decode_png(tf.io.read_file(path)).numpy()
    # Two rows of two tiles: 16 pixels and a margin of 4; below, 2 and a line of 10.
    assert picture.shape == (2 * 36, 2 * 24, 3)
    assert [picture[12, 12, 0], picture[12, 36, 0], picture[48, 12, 0]] == [51, 102, 153]
    assert (picture[36:, 24:] == 255).all()  # the place that is left over
    assert (picture[22:32, 4:20] == 0).any()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

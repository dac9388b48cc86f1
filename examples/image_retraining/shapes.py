"""Draws images of shapes, which the example learns from.

    python shapes.py --image_dir=/data/shapes

Writes 160 PNG files of 32 x 32 pixels for each of six shapes, in a directory for each:
/data/shapes/arrow/000.png and so on. Shapes differ in place, size, angle and colours; part of each
is hidden, and there is noise, so that a classifier has something to learn.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# TensorFlow reads these at import. It logs a line about oneDNN at every log level.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

if not __package__:  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import tensorflow as tf

IMAGE_SIZE = 32
# Each pixel is the mean of so many by so many points, which makes edges smooth.
_POINTS = 3
_NOISE = 0.04

# Returns which points, at x and y from -1 to 1, are inside of a shape of radius 1.
_Shape = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _polygon(corners: int) -> _Shape:
    step = 2 * np.pi / corners

    def is_inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        angle = np.arctan2(y, x) % step - step / 2
        return np.hypot(x, y) * np.cos(angle) <= np.cos(step / 2)

    return is_inside


def _star(points: int) -> _Shape:
    def is_inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        turn = np.arctan2(y, x) * points / (2 * np.pi) % 1
        return np.hypot(x, y) <= 0.35 + 0.65 * np.abs(2 * turn - 1)

    return is_inside


def _is_in_arrow(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    shaft = (np.abs(y) < 0.25) & (x > -1) & (x < 0.2)
    return shaft | ((x >= 0.1) & (np.abs(y) < 0.9 - x))


# What the feature vectors are trained on, and what the classifier is retrained on.
SOURCE_SHAPES: dict[str, _Shape] = {
    "circle": lambda x, y: np.hypot(x, y) < 1,
    "corner": lambda x, y: (np.maximum(np.abs(x), np.abs(y)) < 0.8) & (np.minimum(x, y) < -0.25),
    "cross": lambda x, y: (
        (np.minimum(np.abs(x), np.abs(y)) < 0.28) & (np.maximum(np.abs(x), np.abs(y)) < 1)
    ),
    "lens": lambda x, y: np.hypot(x, np.abs(y) + 0.6) < 1.15,
    "pie": lambda x, y: (np.hypot(x, y) < 1) & (np.minimum(x, y) < 0),
    "rectangle": lambda x, y: (np.abs(y) < 0.5) & (np.abs(x) < 0.9),
    "ring": lambda x, y: np.abs(np.hypot(x, y) - 0.75) < 0.25,
    "square": _polygon(4),
    "star": _star(5),
    "triangle": _polygon(3),
}
TARGET_SHAPES: dict[str, _Shape] = {
    "arrow": _is_in_arrow,
    "bar": lambda x, y: (np.abs(y) < 0.3) & (np.abs(x) < 1),
    "crescent": lambda x, y: (np.hypot(x, y) < 1) & (np.hypot(x - 0.5, y) > 0.8),
    "half": lambda x, y: (np.hypot(x, y) < 1) & (y > -0.1),
    "hexagon": _polygon(6),
    "spark": _star(4),
}


def draw_images(shape: _Shape, count: int, random: np.random.Generator) -> np.ndarray:
    """Draws images of a shape.

    Args:
        shape: The shape to draw.
        count: The number of images.
        random: What decides about places, sizes, angles, colours and noise.

    Returns:
        The images, float32 of shape [count, IMAGE_SIZE, IMAGE_SIZE, 3] from 0 to 1.
    """
    return np.stack([_draw_image(shape, random) for _ in range(count)])


def _draw_image(shape: _Shape, random: np.random.Generator) -> np.ndarray:
    ticks = (np.arange(IMAGE_SIZE * _POINTS) + 0.5) / (IMAGE_SIZE * _POINTS) * 2 - 1
    x, y = ticks[None, :], ticks[:, None]
    left, top = random.uniform(-0.25, 0.25, 2)
    angle, radius = random.uniform(-0.5, 0.5), random.uniform(0.4, 0.7)
    along = ((x - left) * np.cos(angle) + (y - top) * np.sin(angle)) / radius
    across = ((y - top) * np.cos(angle) - (x - left) * np.sin(angle)) / radius
    is_hidden = np.abs(x - random.uniform(-0.6, 0.6)) < random.uniform(0, 0.12)
    points = (shape(along, across) & ~is_hidden).astype(np.float32)
    coverage = points.reshape([IMAGE_SIZE, _POINTS, IMAGE_SIZE, _POINTS]).mean((1, 3))[..., None]
    background, colour = _choose_colours(random)
    image = background + coverage * (colour - background)
    return np.clip(image + random.normal(0, _NOISE, image.shape), 0, 1).astype(np.float32)


def _choose_colours(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Chooses two colours, [red, green, blue] from 0 to 1, that differ enough to be seen."""
    while True:
        first, second = random.uniform(0, 1, [2, 3])
        if np.abs(first - second).max() > 0.4:
            return first, second


def write_images(image_dir: str, images_per_shape: int, seed: int) -> None:
    """Writes images of TARGET_SHAPES as PNG files, each in the directory of its shape.

    Args:
        image_dir: The directory to make; an existing one is an error.
        images_per_shape: The number of images of each shape.
        seed: The seed of the random choices.
    """
    os.makedirs(image_dir)
    random = np.random.default_rng(seed)
    for label, shape in TARGET_SHAPES.items():
        os.mkdir(os.path.join(image_dir, label))
        for number, image in enumerate(draw_images(shape, images_per_shape, random)):
            png = tf.io.encode_png(tf.image.convert_image_dtype(image, tf.uint8))
            tf.io.write_file(os.path.join(image_dir, label, f"{number:03}.png"), png)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program, and returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--image_dir", required=True, help="the directory to make")
    parser.add_argument("--images_per_shape", type=int, default=160, help="default: 160")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the choices; default: 1")
    parsed = parser.parse_args(arguments)
    write_images(parsed.image_dir, parsed.images_per_shape, parsed.seed)
    print(f"{len(TARGET_SHAPES) * parsed.images_per_shape:,} images are in {parsed.image_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

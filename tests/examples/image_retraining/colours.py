"""A module and images that are quickly made: the features of an image are its mean colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

import hubmodule as hub

v1 = tf.compat.v1

SIZE = 4
COLOURS = {"blue": [0.0, 0.0, 1.0], "red": [1.0, 0.0, 0.0]}


def _module_fn(bias: float) -> None:
    images = v1.placeholder(tf.float32, [None, SIZE, SIZE, 3])
    gain = v1.get_variable("gain", [3])
    features = tf.reduce_mean(images, [1, 2]) * gain + bias
    hub.add_signature(inputs={"images": images}, outputs=features)
    hub.add_signature("image_feature_vector", {"images": images}, features)
    size = {"height": SIZE, "width": SIZE}
    hub.attach_image_module_info(hub.ImageModuleInfo(default_image_size=size))


def publish_module(path: Path, gain: float = 1.0) -> str:
    """Publishes the module, whose variant for training adds 1, and returns its path."""
    variants = [(set(), {"bias": 0.0}), ({"train"}, {"bias": 1.0})]
    spec = hub.create_module_spec(_module_fn, variants)
    spec.export_values(str(path), {"gain": np.full([3], gain, np.float32)}, overwrite=True)
    return str(path)


def write_images(directory: Path, per_colour: int) -> str:
    """Writes files like red/07.png, each a little different, and returns the directory."""
    random = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (directory / name).mkdir(parents=True)
        for number in range(per_colour):
            image = np.clip(colour + random.normal(0, 0.05, [SIZE, SIZE, 3]), 0, 1) * 255
            png = tf.io.encode_png(image.astype(np.uint8))
            (directory / name / f"{number:02}.png").write_bytes(png.numpy())
    return str(directory)

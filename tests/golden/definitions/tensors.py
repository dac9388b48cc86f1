"""Modules whose point is what goes in and comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.definitions.registry import Call, golden, numbers, variable
from tests.golden.values import Ragged, Sparse


@golden(
    Call({"default": numbers(2, 2)}, trained=True),
    Call({"left": numbers(2, 2), "right": numbers(3, 2)}, "pair", trained=True),
    Call({}, "no:inputs"),
)
def signatures(hub: Any, tf: Any, scratch: Path) -> Any:
    """Three signatures over one variable: one to one, two to three, none to one."""

    def module_fn() -> None:
        weights = variable(tf, "weights", [2, 2])
        x = tf.placeholder(tf.float32, [None, 2])
        hub.add_signature(inputs=x, outputs=tf.matmul(x, weights))
        left, right = tf.placeholder(tf.float32, [None, 2]), tf.placeholder(tf.float32, [3, 2])
        product = tf.matmul(left, right, transpose_b=True)
        outputs = {"default": product, "tower/left": tf.matmul(left, weights), "right": right}
        hub.add_signature("pair", {"left": left, "right": right}, outputs)
        hub.add_signature("no:inputs", outputs=tf.identity(weights))

    return hub.create_module_spec(module_fn)


@golden(
    Call(
        {
            "flag": np.array(True),
            "count": np.array(3, np.int64),
            "numbers": np.array([[1, 2**40], [-7, 0]], np.int64),
            "words": np.array([b"two", "\u00e9t\u00e9".encode(), b""]),
            "wide": np.array([0.25, -1e300]),
        }
    )
)
def dtypes(hub: Any, tf: Any, scratch: Path) -> Any:
    """No variables; scalars, bool, int64, float64 and strings; inputs passed straight through."""

    def module_fn() -> None:
        flag, count = tf.placeholder(tf.bool, []), tf.placeholder(tf.int64, [])
        numbers, words = tf.placeholder(tf.int64, [None, 2]), tf.placeholder(tf.string, [None])
        wide = tf.placeholder(tf.float64, None)
        outputs = {
            "flag": flag,
            "negated": tf.logical_not(flag),
            "scaled": numbers * count,
            "joined": tf.string_join([words, tf.constant(b"\xff!")]),
            "words": words,
            "wide": wide,
        }
        inputs = {"flag": flag, "count": count, "numbers": numbers, "words": words, "wide": wide}
        hub.add_signature(inputs=inputs, outputs=outputs)

    return hub.create_module_spec(module_fn)


_SPARSE = Sparse(np.array([[0, 1], [0, 3], [2, 0]]), numbers(3), np.array([3, 4]))


@golden(Call({"default": _SPARSE}, trained=True))
def sparse(hub: Any, tf: Any, scratch: Path) -> Any:
    """A sparse input; a dense and a sparse output."""

    def module_fn() -> None:
        x = tf.sparse_placeholder(tf.float32, [None, 4], name="x")
        dense = tf.sparse_tensor_dense_matmul(x, variable(tf, "weights", [4, 2]))
        scaled = tf.SparseTensor(x.indices, 2.0 * x.values, x.dense_shape)
        hub.add_signature(inputs=x, outputs={"default": dense, "scaled": scaled})

    return hub.create_module_spec(module_fn)


@golden(
    Call({"default": Ragged(numbers(5), (np.array([0, 2, 2, 5]),))}, trained=True),
    Call(
        {"default": Ragged(numbers(4), (np.array([0, 2, 3]), np.array([0, 1, 1, 4])))},
        "nested",
    ),
)
def ragged(hub: Any, tf: Any, scratch: Path) -> Any:
    """Ragged inputs and outputs of one and of two ragged dimensions."""

    def module_fn() -> None:
        scale = variable(tf, "scale", [])
        x = tf.ragged.placeholder(tf.float32, 1, [], name="x")
        scaled = x.with_flat_values(x.flat_values * scale)
        outputs = {"default": tf.reduce_sum(scaled, axis=1), "scaled": scaled}
        hub.add_signature(inputs=x, outputs=outputs)
        nested = tf.ragged.placeholder(tf.float32, 2, [], name="nested")
        hub.add_signature("nested", nested, nested.with_flat_values(-nested.flat_values))

    return hub.create_module_spec(module_fn)


@golden(
    Call({"images": numbers(2, 6, 4, 3)}, trained=True),
    Call({"images": numbers(1, 6, 4, 3)}, "image_feature_vector"),
)
def image(hub: Any, tf: Any, scratch: Path) -> Any:
    """An image feature vector; ImageModuleInfo and a message of the author's attached."""

    def module_fn() -> None:
        images = tf.placeholder(tf.float32, [None, None, None, 3])
        convolved = tf.nn.relu(
            tf.nn.conv2d(images, variable(tf, "filter", [2, 2, 3, 4]), [1, 2, 2, 1], "SAME")
        )
        outputs = {"default": tf.reduce_mean(convolved, [1, 2]), "Tiny/Conv": convolved}
        for name in (None, "image_feature_vector"):
            hub.add_signature(name, {"images": images}, outputs)
        size = hub.ImageModuleInfo()
        size.default_image_size.height, size.default_image_size.width = 6, 4
        hub.attach_image_module_info(size)
        labels = tf.train.BytesList(value=[b"early", b"late"])
        hub.attach_message("labels", tf.train.BytesList(value=[b"overwritten"]))
        hub.attach_message("labels", labels)

    return hub.create_module_spec(module_fn)

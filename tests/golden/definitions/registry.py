"""Where the modules are written down, and what they are built of.

All variables start from fixed numbers: whoever writes a module, it computes the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import (
    Any,
    NamedTuple,
)

import numpy as np

from tests.golden.values import Value

TRAIN = frozenset({"train"})


class Call(NamedTuple):
    """One use of a module: which variant and signature, and what goes in."""

    inputs: Mapping[str, Value]
    signature: str = "default"
    tags: frozenset[str] = frozenset()
    trained: bool = False  # Whether a training step on this call is recorded as well.
    # The version of control flow that the caller must switch on to get gradients.
    control_flow: int | None = None


class Definition(NamedTuple):
    """How to make a module, and what to call it with."""

    make_spec: Callable[[Any, Any, Path], Any]  # (hub, tf, scratch directory) -> ModuleSpec
    calls: tuple[Call, ...]


DEFINITIONS: dict[str, Definition] = {}


def golden(*calls: Call) -> Callable:
    """Enters the decorated function under its name, with the calls to record."""

    def register(make_spec: Callable) -> Callable:
        DEFINITIONS[make_spec.__name__] = Definition(make_spec, calls)
        return make_spec

    return register


def numbers(*shape: int) -> np.ndarray:
    """Small float32 numbers of both signs, no two rows alike."""
    size = int(np.prod(shape, dtype=int))
    return np.sin(np.arange(1, size + 1)).reshape(shape).astype(np.float32)


def variable(tf: Any, name: str, shape: list, **kwargs: Any) -> Any:
    """A float32 variable, or partitioned variable, that starts with numbers(*shape)."""

    # An array as the initial value would forbid a partitioner; a function serves both.
    def initial(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        whole = numbers(*(partition_info.full_shape if partition_info else shape))
        start = partition_info.var_offset if partition_info else [0] * len(shape)
        part = tuple(slice(first, first + n) for first, n in zip(start, shape))  # noqa: B905
        return tf.constant(whole[part])

    return tf.get_variable(name, shape, initializer=initial, **kwargs)


def lines(scratch: Path, name: str, words: str) -> str:
    """The path of a new file with a line for each of `words`."""
    path = scratch / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(words.split()) + "\n")
    return str(path)


@contextlib.contextmanager
def control_flow(tf: Any, version: int | None) -> Iterator[None]:
    """Has TensorFlow use control flow of this version inside; None: the one it is set to."""
    was_v2 = tf.control_flow_v2_enabled()
    _enable_control_flow_v2(tf, was_v2 if version is None else version == 2)
    if version == 2:
        _register_while_gradient(tf)
    try:
        yield
    finally:
        _enable_control_flow_v2(tf, was_v2)


def _enable_control_flow_v2(tf: Any, on: bool) -> None:
    (tf.enable_control_flow_v2 if on else tf.disable_control_flow_v2)()


def _register_while_gradient(tf: Any) -> None:
    # TensorFlow 1.15 knows the gradient of While ops once it has built one itself.
    with tf.Graph().as_default():
        tf.while_loop(lambda i: i < 1, lambda i: i + 1, [tf.constant(0)])

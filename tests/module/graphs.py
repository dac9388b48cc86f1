"""Module functions and a session that several tests use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

import hubmodule as hub

v1 = tf.compat.v1


def initialised_session(graph: tf.Graph | None = None) -> v1.Session:
    """A session in which variables and tables are initialised."""
    session = v1.Session(graph=graph)
    with session.graph.as_default():
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
    return session


def evaluate(fetches: Any, feed: dict | None = None) -> Any:
    """The values of tensors of the default graph, freshly initialised."""
    with initialised_session(v1.get_default_graph()) as session:
        return session.run(fetches, feed)


def affine(scale: float = 2.0, shift: float = 1.0) -> None:
    """Module function: y = w * x + b, with a regulariser on w and an update of b."""
    x = v1.placeholder(tf.float32, [None], name="x")
    w = v1.get_variable(
        "w", initializer=tf.constant(scale), regularizer=lambda value: 0.5 * value * value
    )
    b = v1.get_variable("b", initializer=tf.constant(shift), trainable=False)
    v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, v1.assign_add(b, 10.0))
    hub.add_signature(inputs=x, outputs=w * x + b)


def exported(path: Any, module_fn: Callable[[], None] | hub.ModuleSpec, **kwargs: Any) -> str:
    """The path of a module that was just made and exported with its initial values."""
    spec = module_fn
    if not isinstance(spec, hub.ModuleSpec):
        spec = hub.create_module_spec(module_fn, **kwargs)
    with tf.Graph().as_default():
        module = hub.Module(spec)
        with initialised_session() as session:
            module.export(str(path), session)
    return str(path)


def array(*values: float) -> np.ndarray:
    """A float32 vector."""
    return np.array(values, np.float32)

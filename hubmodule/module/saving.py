"""Writes the values of a module's variables in a session to a checkpoint."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tensorflow as tf

from hubmodule.format import checkpoint
from hubmodule.module.state_graph import StateGraph
from hubmodule.surgery.state import VariableState


@dataclass(frozen=True)
class _SaveOp:
    """An op of the graph that writes a checkpoint, and the placeholder of its path prefix."""

    op: tf.Operation
    prefix: tf.Tensor


class CheckpointWriter:
    """Writes checkpoints with the values of a module in a graph.

    Args:
        state: The state of the module.
        variables: The variables of the graph variant.
    """

    def __init__(self, state: StateGraph, variables: Sequence[VariableState]):
        self._state = state
        self._variables = variables
        self._save_op: _SaveOp | None = None
        self._lock = threading.Lock()

    def write(self, session: tf.compat.v1.Session, prefix: str) -> None:
        """Writes a checkpoint with the names of the module; nothing if it has no variables.

        One op, which is added to the graph the first time, writes all values at once. A
        session cannot run it if its graph was finalized before, or if its ops run in another
        process, which would write the files there. Then the values are fetched in several
        runs, between which another thread may train.

        Args:
            session: A session of the module's graph.
            prefix: The path prefix of the checkpoint. Its directory is made; the parent of the
                directory must exist.

        Raises:
            tf.errors.FailedPreconditionError: If a variable is not initialised.
        """
        if not self._variables:
            return
        save_op = self._get_op(session)
        if save_op is not None:
            session.run(save_op.op, {save_op.prefix: prefix})
        else:
            checkpoint.write(prefix, self._fetch_values(session))

    def _get_op(self, session: tf.compat.v1.Session) -> _SaveOp | None:
        if not _is_in_this_process(session):
            return None
        with self._lock:
            if self._save_op is None and not self._state.graph.finalized:
                self._save_op = self._add_op()
            return self._save_op

    def _add_op(self) -> _SaveOp:
        with (
            self._state.graph.as_default(),
            tf.control_dependencies(None),
            tf.device(None),
            tf.name_scope(f"{self._state.scope}checkpoint_save/"),
        ):
            prefix = tf.compat.v1.placeholder(tf.string, [])
            op = tf.raw_ops.SaveV2(
                prefix=prefix,
                tensor_names=[v.checkpoint_name for v in self._variables],
                shape_and_slices=[v.slice_spec for v in self._variables],
                tensors=[self._state.get_value(v) for v in self._variables],
            )
        return _SaveOp(op, prefix)

    def _fetch_values(self, session: tf.compat.v1.Session) -> Iterator[checkpoint.Entry]:
        for batch in checkpoint.split_into_batches(self._variables):
            tensors = [self._state.get_value(variable) for variable in batch]
            for variable, value in zip(batch, session.run(tensors), strict=True):
                yield checkpoint.Entry(variable.checkpoint_name, value, variable.slice_spec)


def _is_in_this_process(session: tf.compat.v1.Session) -> bool:
    """Whether a session is known to run its ops in this process: its target is empty."""
    return getattr(session, "sess_str", None) in ("", b"")

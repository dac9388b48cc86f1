"""Saving: writes the values that a module's variables have in a session to a checkpoint."""

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
    """An op of the graph that writes a checkpoint, and where it takes the path prefix from."""

    op: tf.Operation
    prefix: tf.Tensor


class Saving:
    """Writes the checkpoints of a module that is in a graph.

    Args:
        state: of the module.
        variables: those of the variant that the state is of.
    """

    def __init__(self, state: StateGraph, variables: Sequence[VariableState]):
        self._state = state
        self._variables = variables
        self._save_op: _SaveOp | None = None
        self._lock = threading.Lock()

    def write(self, session: tf.compat.v1.Session, prefix: str) -> None:
        """Writes a checkpoint with the names of the module; none if it has no variables.

        An op writes the values from where they are. It is added to the graph the first
        time. If the graph is finalized before that, or if the session runs ops elsewhere,
        where the files would be written too, values are fetched, in several runs: steps of
        training that another thread does meanwhile may come between them.

        Args:
            session: of the module's graph.
            prefix: the path prefix of the checkpoint. The directory is made, in one that
                exists.

        Raises:
            tf.errors.FailedPreconditionError: if a variable is not initialised.
        """
        if not self._variables:
            return
        save_op = self._get_op(session)
        if save_op is not None:
            session.run(save_op.op, {save_op.prefix: prefix})
        else:
            checkpoint.write(prefix, self._fetch_values(session))

    def _get_op(self, session: tf.compat.v1.Session) -> _SaveOp | None:
        if not _runs_in_this_process(session):
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
                tensors=[self._state.value(v) for v in self._variables],
            )
        return _SaveOp(op, prefix)

    def _fetch_values(self, session: tf.compat.v1.Session) -> Iterator[checkpoint.Entry]:
        for batch in checkpoint.batches(self._variables):
            tensors = [self._state.value(variable) for variable in batch]
            for variable, value in zip(batch, session.run(tensors), strict=True):
                yield checkpoint.Entry(variable.checkpoint_name, value, variable.slice_spec)


def _runs_in_this_process(session: tf.compat.v1.Session) -> bool:
    """Whether a session is known to be one, which has no target; wrappers do not tell."""
    return getattr(session, "sess_str", None) in ("", b"")

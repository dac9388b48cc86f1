"""Tells a damaged module from a wrong use of a good one, after something has failed.

To check each field of each node first would take longer than to use the module, so the graph is
used without. If that fails, it is tried again in an empty graph, without any value of the
caller's: if this fails too, the module is the reason.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import tensorflow as tf

from hubmodule.errors import HubModuleError
from hubmodule.module.variant import Variant


@contextlib.contextmanager
def explain_failures(variant: Variant, task: str, trial: Callable[[], object]) -> Iterator[None]:
    """Raises ModuleFormatError if a block fails because the module is damaged.

    Args:
        variant: The graph variant that the block uses.
        task: The operation of the block, for the message: a participle, e.g. "added to a graph".
        trial: A function that does the same without any value of the caller's. It is called
            in an empty default graph.

    Raises:
        ModuleFormatError: If the block and the trial fail.
        Exception: The exception of the block, if the trial succeeds, or if the exception is a
            HubModuleError.
    """
    try:
        yield
    except HubModuleError:
        raise
    except Exception as error:
        fault = _find_fault(trial)
        if fault is None:
            raise
        raise variant.make_damage_error(f"cannot be {task}", fault) from error


def _find_fault(trial: Callable[[], object]) -> Exception | None:
    """Returns the exception of a trial; None if it succeeds or raises a HubModuleError."""
    try:
        with tf.Graph().as_default():
            trial()
    except HubModuleError:
        return None
    except Exception as error:
        return error
    return None

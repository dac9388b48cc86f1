"""Tells a damaged module from a wrong use of a whole one, once something has failed.

To check each field of each node beforehand would cost more than to use the module. So a
graph is used as it is, and only if that fails is it tried again where nothing but the module
can be the reason.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import tensorflow as tf

from hubmodule.errors import HubModuleError
from hubmodule.module.variant import Variant


@contextlib.contextmanager
def blaming(variant: Variant, task: str, trial: Callable[[], object]) -> Iterator[None]:
    """Raises ModuleFormatError where a task fails because the module is damaged.

    Args:
        variant: Graph variant that the task is done with.
        task: What is done with it, for the message, as in "added to a graph".
        trial: Does the task again, in an empty graph, with nothing of the caller's.

    Raises:
        ModuleFormatError: if the task and the trial fail.
        Exception: what the task raised, if the trial succeeds, or if it was a
            HubModuleError already.
    """
    try:
        yield
    except HubModuleError:
        raise
    except Exception as error:
        fault = _fault(trial)
        if fault is None:
            raise
        raise variant.damaged(f"cannot be {task}", fault) from error


def _fault(trial: Callable[[], object]) -> Exception | None:
    """What a trial raises, unless this package says more exactly what it is."""
    try:
        with tf.Graph().as_default():
            trial()
    except HubModuleError:
        return None
    except Exception as error:
        return error
    return None

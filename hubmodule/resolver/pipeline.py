"""Runs the stages of a download at the same time: the next chunk comes while one is worked on."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

_T = TypeVar("_T")
# How long a stage may go on after its consumer stopped listening.
_PATIENCE_SECONDS = 0.1


class _End:
    """Behind the last item: nothing, or the error that ended the stage."""

    def __init__(self, error: BaseException | None = None):
        self.error = error


class Ahead(Generic[_T]):
    """Iterates `items` in a thread of its own, at most `depth` items ahead of the consumer.

    Use it as a context manager, so that the thread ends with the consumer:

        with Ahead(chunks, depth=8) as chunks_ahead:
            for chunk in chunks_ahead: ...

    Args:
        items: what to iterate; an error that it raises is raised to the consumer.
        depth: how many items to hold.
        abort: called when the consumer stops early, to wake `items` if it is blocked.
    """

    def __init__(self, items: Iterable[_T], depth: int, abort: Callable[[], None] = lambda: None):
        self._items = items
        self._abort = abort
        self._queue: queue.Queue[_T | _End] = queue.Queue(depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hubmodule-ahead", daemon=True)

    def __enter__(self) -> Iterator[_T]:
        self._thread.start()
        return self._take()

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._abort()
            self._wake_consumer()
            self._thread.join(_PATIENCE_SECONDS)

    def _wake_consumer(self) -> None:
        """Ends `_take`, which another stage may be waiting in."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(_End())

    def _take(self) -> Iterator[_T]:
        while not isinstance(item := self._queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error

    def _run(self) -> None:
        end = _End()
        try:
            for item in self._items:
                self._put(item)
                if self._stopped.is_set():
                    return
        except BaseException as error:  # the consumer raises it
            end = _End(error)
        self._put(end)

    def _put(self, item: _T | _End) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=_PATIENCE_SECONDS)
                break

"""Reads the next bytes in a thread while the caller processes earlier ones."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator

# How long the thread may go on after its reader has stopped.
_PATIENCE_SECONDS = 0.1


@contextlib.contextmanager
def read_ahead(
    pieces: Iterable[bytes], depth: int, abort: Callable[[], None] = lambda: None
) -> Iterator[Iterator[bytes]]:
    """Iterates pieces of bytes in a thread while the block runs.

    Args:
        pieces: Pieces of bytes. An exception that the iteration raises is raised to the reader.
        depth: Largest number of pieces to hold for the reader.
        abort: Function to call when the reader stops early, which wakes `pieces` if it is
            blocked.

    Yields:
        The pieces.
    """
    ahead: queue.Queue[tuple[bytes | None, BaseException | None]] = queue.Queue(depth)
    is_stopped = threading.Event()

    def put(piece: bytes | None, error: BaseException | None = None) -> None:
        while not is_stopped.is_set():
            with contextlib.suppress(queue.Full):
                ahead.put((piece, error), timeout=_PATIENCE_SECONDS)
                break

    def run() -> None:
        try:
            for piece in pieces:
                put(piece)
                if is_stopped.is_set():
                    return
            put(None)
        except BaseException as error:
            put(None, error)

    def take() -> Iterator[bytes]:
        while (item := ahead.get())[0] is not None:
            yield item[0]
        if item[1] is not None:
            raise item[1]

    # The interpreter ends without waiting for a daemon, which may be blocked.
    thread = threading.Thread(target=run, name="hubmodule-read-ahead", daemon=True)
    thread.start()
    try:
        yield take()
    finally:
        is_stopped.set()
        if thread.is_alive():
            abort()
            # Another thread that reads these pieces may wait for the next.
            with contextlib.suppress(queue.Empty):
                while True:
                    ahead.get_nowait()
            with contextlib.suppress(queue.Full):
                ahead.put_nowait((None, None))
            thread.join(_PATIENCE_SECONDS)

"""Shows how a download goes: a bar where somebody looks, lines in the log elsewhere."""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

logger = logging.getLogger("hubmodule")

_SECONDS_BETWEEN_LINES = 10.0
_UNITS = ("B", "kB", "MB", "GB", "TB")


class Progress(Protocol):
    """Is told how far a download is, and when it ends."""

    def report(self, received: int, total: int | None) -> None:
        """`received` bytes are here, of `total` if that is known."""

    def close(self) -> None:
        """It has ended, well or not."""


def progress_for(what: str, wanted: bool | None) -> Progress:
    """What shows the download of `what`.

    Args:
        what: the handle.
        wanted: True shows it everywhere, on standard error; False nowhere; None shows a
            bar on a terminal and in a notebook, and logs lines at level INFO elsewhere.
    """
    if wanted is False:
        return Silence()
    if in_notebook() or on_terminal():
        return Bar(what)
    return Lines(what, _print if wanted else logger.info)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    running = getattr(shell, "get_ipython", lambda: None)()
    return type(running).__name__ == "ZMQInteractiveShell"


def on_terminal() -> bool:
    """Whether standard error is a terminal."""
    # A service may have none, or have closed it.
    return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


class Silence:
    """Shows nothing."""

    def report(self, received: int, total: int | None) -> None:
        pass

    def close(self) -> None:
        pass


class Bar:
    """A bar of tqdm, drawn in HTML in a notebook."""

    def __init__(self, what: str):
        self._what = what
        self._bar: Any = None

    def report(self, received: int, total: int | None) -> None:
        if self._bar is None:
            self._bar = _tqdm()(desc=_short(self._what), unit="B", unit_scale=True, total=total)
        self._bar.total = total
        self._bar.update(received - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class Lines:
    """A line every few seconds, and one at the end.

    Args:
        what: the handle.
        write: takes a line.
        clock: seconds since whenever.
    """

    def __init__(
        self, what: str, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ):
        self._what = what
        self._write = write
        self._clock = clock
        self._started = clock()
        self._next = self._started + _SECONDS_BETWEEN_LINES
        self._received = 0

    def report(self, received: int, total: int | None) -> None:
        self._received = received
        if self._clock() >= self._next:
            self._next = self._clock() + _SECONDS_BETWEEN_LINES
            whole = f" of {amount(total)}" if total is not None else ""
            self._write(f"Downloading {self._what}: {amount(received)}{whole}")

    def close(self) -> None:
        seconds = self._clock() - self._started
        self._write(f"Received {amount(self._received)} of {self._what} in {seconds:.1f} s")


def amount(size: int) -> str:
    """A number of bytes for people: "265.4 MB"."""
    value = float(size)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


def _tqdm() -> Any:
    # tqdm.auto draws in HTML, where the notebook can; it takes longer to import.
    return importlib.import_module("tqdm.auto" if in_notebook() else "tqdm").tqdm


def _short(what: str) -> str:
    return what if len(what) <= 40 else f"…{what[-39:]}"


def _print(line: str) -> None:
    # A download does not fail because nobody reads about it.
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)

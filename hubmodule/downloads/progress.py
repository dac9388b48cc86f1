"""Shows the progress of a download: a bar on a terminal or in a notebook, elsewhere log lines."""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

logger = logging.getLogger("hubmodule")

_SECONDS_BETWEEN_LINES = 10.0
_LONGEST_NAME = 40  # characters, in a bar
_UNITS = ("B", "kB", "MB", "GB", "TB")

# Called with the number of bytes received so far, and of all bytes, None if it is not known.
Report = Callable[[int, "int | None"], None]


@contextlib.contextmanager
def open_progress(
    name: str,
    wanted: bool | None,
    doing: str = "Downloading",
    done: str = "Received",
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Report]:
    """Shows how a download, or other work on bytes, goes while the block runs.

    Args:
        name: The handle, without secrets.
        wanted: True shows it everywhere, on standard error; False nowhere; None shows a bar
            on a terminal and in a notebook, and logs lines at level INFO elsewhere.
        doing: What is done, for the lines.
        done: What was done, for the last line.
        clock: Function that returns the time in seconds.

    Yields:
        A function to call with the number of bytes received so far, and of all bytes; the second
        is None if it is not known.
    """
    if wanted is False:
        yield lambda received, total: None
    elif is_notebook() or is_terminal():
        yield from _show_bar(name)
    else:
        write = _print if wanted else logger.info
        yield from _write_lines(name, write, doing, done, clock)


def is_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    running = getattr(shell, "get_ipython", lambda: None)()
    return type(running).__name__ == "ZMQInteractiveShell"


def is_terminal() -> bool:
    """Whether standard error is a terminal."""
    # A service may have none, or have closed it.
    return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


def format_bytes(size: int) -> str:
    """Formats a number of bytes, e.g. "265.4 MB"."""
    power = min(max(len(str(size)) - 1, 0) // 3, len(_UNITS) - 1)
    return f"{size / 1000**power:.1f} {_UNITS[power]}" if power else f"{size} B"


def _show_bar(name: str) -> Iterator[Report]:
    # tqdm.auto draws in HTML, where the notebook can; it takes longer to import.
    tqdm = importlib.import_module("tqdm.auto" if is_notebook() else "tqdm").tqdm
    short = name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"
    bar: Any = None

    def report(received: int, total: int | None) -> None:
        nonlocal bar
        # The bar is drawn when it is made, and a download may end before it begins.
        if bar is None:
            bar = tqdm(desc=short, unit="B", unit_scale=True, total=total)
        bar.total = total
        bar.update(received - bar.n)

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()


def _write_lines(
    name: str, write: Callable[[str], None], doing: str, done: str, clock: Callable[[], float]
) -> Iterator[Report]:
    received: int | None = None
    started = clock()
    next_line = started + _SECONDS_BETWEEN_LINES

    def report(now_received: int, total: int | None) -> None:
        nonlocal received, next_line
        received = now_received
        if clock() >= next_line:
            next_line = clock() + _SECONDS_BETWEEN_LINES
            whole = f" of {format_bytes(total)}" if total is not None else ""
            write(f"{doing} {name}: {format_bytes(received)}{whole}")

    try:
        yield report
    finally:
        # No answer that has a body came, or nothing has changed.
        if received is not None:
            write(f"{done} {format_bytes(received)} of {name} in {clock() - started:.1f} s")


def _print(line: str) -> None:
    # A download does not fail because its progress cannot be shown.
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)

"""Shows how a download goes: a bar on a terminal and in a notebook, lines in the log elsewhere."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import sys
from collections.abc import Callable, Iterator

logger = logging.getLogger("hubmodule")

_SECONDS_BETWEEN_LINES = 10.0
_LONGEST_NAME = 40  # characters, in a bar

Report = Callable[[int, "int | None"], None]


@contextlib.contextmanager
def open_progress(name: str, wanted: bool | None) -> Iterator[Report]:
    """Shows a download while the block runs.

    Args:
        name: The handle, without secrets.
        wanted: True shows it everywhere, on standard error; False nowhere; None shows a bar
            on a terminal and in a notebook, and logs lines at level INFO elsewhere.

    Yields:
        A function to call with the bytes received so far, and the bytes in all, or None.
    """
    if wanted is False:
        yield lambda received, total: None
        return
    in_notebook = is_notebook()
    # tqdm.auto draws in HTML, where the notebook can; it takes longer to import.
    tqdm = importlib.import_module("tqdm.auto" if in_notebook else "tqdm").tqdm
    options = {"unit": "B", "unit_scale": True, "delay": 1e-9}
    if in_notebook or is_terminal():
        options["desc"] = name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"
    else:
        options["file"] = _Lines(_print if wanted else logger.info)
        options["mininterval"] = options["maxinterval"] = _SECONDS_BETWEEN_LINES
        options["bar_format"] = "Downloading {desc}: {n_fmt}B of {total_fmt}B, {elapsed}"
        options["desc"] = name
    with tqdm(**options) as bar:

        def report(received: int, total: int | None) -> None:
            bar.total = total
            bar.update(received - bar.n)

        try:
            yield report
        finally:
            bar.leave = bar.n > 0  # nothing to show of a download that never began


def is_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    running = getattr(shell, "get_ipython", lambda: None)()
    return type(running).__name__ == "ZMQInteractiveShell"


def is_terminal() -> bool:
    """Whether standard error is a terminal."""
    # A service may have none, or have closed it.
    return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


class _Lines(io.StringIO):
    """A file that turns each state of a bar into a line."""

    def __init__(self, write_line: Callable[[str], None]):
        super().__init__()
        self._write_line = write_line

    def write(self, text: str) -> int:
        if line := text.strip():
            self._write_line(line)
        return len(text)


def _print(line: str) -> None:
    # A download does not fail because its progress cannot be shown.
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)

"""Shows the progress of a publication on standard error."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import AbstractContextManager
from typing import Any

from tqdm import tqdm

_SECONDS_BEFORE_THE_BAR = 2
# Of the file's name, so that the bar fits into a line.
_MOST_CHARACTERS = 30


def is_shown(wanted: bool | None) -> bool:
    """Whether to show progress.

    Args:
        wanted: True shows it always, False never; None shows it on a terminal.
    """
    if wanted is None:
        # A service may have no standard error.
        return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()
    return wanted


def show_reading(file: Any, path: str, wanted: bool | None) -> AbstractContextManager[Any]:
    """Wraps a file, so that a bar shows how many of its bytes have been read.

    Args:
        file: Object with the methods `read(size)` and `size()`; sizes are in bytes.
        path: The path of the file, whose name the bar shows.
        wanted: As in `is_shown`. If it is None, the bar appears after 2 seconds.
    """
    # tqdm draws nothing on a pseudo-terminal that reports a size of 0; this makes it 80 x 24.
    columns, lines = shutil.get_terminal_size()
    return tqdm.wrapattr(
        file,
        "read",
        total=file.size(),
        bytes=False,  # True would count in units of 1,024 bytes
        unit="B",
        unit_scale=True,
        desc=f"Reading {os.path.basename(path)[:_MOST_CHARACTERS]}",
        delay=0 if wanted else _SECONDS_BEFORE_THE_BAR,
        disable=not is_shown(wanted),
        ncols=columns,
        nrows=lines,
        file=sys.stderr,
    )


def show_writing(path: str, size: int, wanted: bool | None) -> None:
    """Prints that the module is being written, which TensorFlow does in one step.

    Args:
        path: The directory that becomes the module.
        size: The size of its vectors in bytes.
        wanted: As in `is_shown`.
    """
    if is_shown(wanted):
        print(f"Writing {tqdm.format_sizeof(size, 'B')} to {path}", file=sys.stderr, flush=True)

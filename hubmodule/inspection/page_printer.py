"""Prints sections: in colour on a terminal if rich is installed, else as plain text."""

from __future__ import annotations

import math
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from hubmodule.inspection.report import Section

_BAR = 16
_GAP = 2
_INDENT = "  "
_LEAST_CELL = 12
_PIPE_WIDTH = 80


def print_sections(sections: Sequence[Section]) -> None:
    """Prints sections to standard output.

    Args:
        sections: The sections of a page, in their order.
    """
    if sys.stdout.isatty():
        try:
            from hubmodule.inspection import rich_page
        except ImportError:
            pass
        else:
            rich_page.print_rich(sections)
            return
    print(write_plain(sections, _get_width()))


def _get_width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPE_WIDTH


def write_plain(sections: Iterable[Section], width: int = _PIPE_WIDTH) -> str:
    """Writes sections as plain text.

    Args:
        sections: The sections of a page, in their order.
        width: The largest number of characters in a line; code to paste may be wider.
    """
    return "\n".join(line.rstrip() for section in sections for line in _write(section, width))


def _write(section: Section, width: int) -> Iterator[str]:
    yield from textwrap.wrap(section.title, width) or [""]
    bars = [("#" * math.ceil(share * _BAR),) for share in section.shares]
    rows = (
        [row + bar for row, bar in zip(section.rows, bars, strict=True)] if bars else section.rows
    )
    yield from _write_table(rows, width - len(_INDENT))
    for line in section.lines:
        if section.code:
            yield _INDENT + line
        else:
            text = line.lstrip()
            indent = _INDENT + " " * (len(line) - len(text))
            yield from textwrap.wrap(
                text, width, initial_indent=indent, subsequent_indent=indent + _INDENT
            )
    yield ""


def _write_table(rows: Sequence[tuple[str, ...]], width: int) -> Iterator[str]:
    if not rows:
        return
    widest = [max(1, *map(len, column)) for column in zip(*rows, strict=True)]
    widths = fit_columns(widest, width)
    for row in rows:
        cells = [textwrap.wrap(cell, size) or [""] for cell, size in zip(row, widths, strict=True)]
        for number in range(max(map(len, cells))):
            line = [cell[number] if number < len(cell) else "" for cell in cells]
            padded = (text.ljust(size) for text, size in zip(line, widths, strict=True))
            yield _INDENT + (" " * _GAP).join(padded)


def fit_columns(widths: list[int], total: int) -> list[int]:
    """Narrows the widest columns until all columns fit into a line.

    Args:
        widths: The number of characters in the longest line of each column.
        total: The number of characters in a line, the gaps between columns included.

    Returns:
        The width of each column. The widths may still exceed `total` if no column is wider
        than a minimum.
    """
    widths = list(widths)
    while sum(widths) + _GAP * (len(widths) - 1) > total and max(widths) > _LEAST_CELL:
        widest = widths.index(max(widths))
        excess = sum(widths) + _GAP * (len(widths) - 1) - total
        others = [w for i, w in enumerate(widths) if i != widest]
        next_width = max([_LEAST_CELL, *others])
        narrowed = max(widths[widest] - excess, next_width)
        widths[widest] = narrowed if narrowed < widths[widest] else widths[widest] - 1
    return widths

"""Prints the sections of a page in colour, with rich."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from hubmodule.inspection.report import Section

_BAR = 16
_WARNING = "bold red"
_TITLE = "bold cyan"


def print_rich(sections: Iterable[Section], console: Console | None = None) -> None:
    """Prints sections in colour.

    Args:
        sections: The sections of a page, in their order.
        console: The console to print to; None means standard output.
    """
    console = console or Console()
    for section in sections:
        console.print(_render(section))


def _render(section: Section) -> RenderableType:
    parts: list[RenderableType] = []
    if section.rows:
        parts.append(_render_table(section))
    if section.code:
        # The colours of the terminal itself suit both light and dark terminals.
        parts.append(Syntax("\n".join(section.lines), "python", theme="ansi_dark", word_wrap=True))
    else:
        # Text, not str: rich takes a name in brackets in a str for markup.
        parts += [Text(line) for line in section.lines]
    title = Text(section.title, style=_WARNING if section.is_warning else _TITLE)
    return Group(title, Padding(Group(*parts), (0, 0, 1, 2)))


def _render_table(section: Section) -> Table:
    table = Table.grid(padding=(0, 2))
    for number in range(len(section.rows[0])):
        table.add_column(overflow="fold", style="dim" if number == 0 else None)
    if section.shares:
        table.add_column(width=_BAR)
    bars = [ProgressBar(total=1.0, completed=share, width=_BAR) for share in section.shares]
    for number, row in enumerate(section.rows):
        table.add_row(*map(Text, row), *bars[number : number + 1])
    return table

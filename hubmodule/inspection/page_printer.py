"""Prints sections: in colour on a terminal if rich is installed, else as plain text."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from hubmodule.inspection.plain_page import write_plain
from hubmodule.inspection.report import Section


def print_sections(sections: Sequence[Section]) -> None:
    """Prints sections to standard output."""
    if sys.stdout.isatty():
        try:
            from hubmodule.inspection import rich_page
        except ImportError:
            pass
        else:
            rich_page.print_rich(sections)
            return
    print(write_plain(sections, _width()))


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 80

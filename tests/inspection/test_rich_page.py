"""Tests of hubmodule.inspection.rich_page."""

from __future__ import annotations

import io
import sys

import pytest

pytest.importorskip("rich")
from rich.console import Console

from hubmodule.inspection.inspect import inspect
from hubmodule.inspection.report import Section, write_report
from hubmodule.inspection.rich_page import print_rich
from tests.inspection.modules import golden


def render(sections, **options) -> str:
    file = io.StringIO()
    print_rich(sections, Console(file=file, width=80, **options))
    return file.getvalue()


def test_a_page_fits_the_terminal() -> None:
    text = render(write_report(inspect(golden("partitioned"))))
    assert "table/rows" in text
    assert max(map(len, text.splitlines())) <= 80


def test_names_are_no_markup() -> None:
    text = render([Section("[red]t[/]", (("[bold]x[/]", "y"),), lines=("[i]z[/]",))])
    assert all(part in text for part in ("[red]t[/]", "[bold]x[/]", "[i]z[/]"))


def test_bars_and_colours() -> None:
    text = render([Section("T", (("a", "1 B"),), (1.0,))], force_terminal=True)
    assert "\x1b[" in text
    assert "━" in text


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

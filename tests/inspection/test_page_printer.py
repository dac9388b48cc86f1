"""Tests of hubmodule.inspection.page_printer."""

from __future__ import annotations

import sys

import pytest

from hubmodule import inspection
from hubmodule.inspection.page_printer import print_sections
from hubmodule.inspection.report import Section

SECTIONS = [Section("Title", (("a", "b"),))]
PLAIN = "Title\n  a  b\n\n"


def test_a_pipe_gets_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_sections(SECTIONS)
    assert capsys.readouterr().out == PLAIN


def test_a_terminal_without_rich(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delattr(inspection, "rich_page", raising=False)
    monkeypatch.setitem(sys.modules, "hubmodule.inspection.rich_page", None)
    print_sections(SECTIONS)
    assert capsys.readouterr().out == PLAIN


def test_a_terminal_with_rich(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rich")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(
        "hubmodule.inspection.rich_page.print_rich", lambda sections: print("rich", sections)
    )
    print_sections(SECTIONS)
    assert capsys.readouterr().out == f"rich {SECTIONS}\n"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

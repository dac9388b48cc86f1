"""Tests of hubmodule.inspection.page_printer."""

from __future__ import annotations

import sys

import pytest

from hubmodule import inspection
from hubmodule.inspection.inspect import inspect
from hubmodule.inspection.page_printer import fit_columns, print_sections, write_plain
from hubmodule.inspection.report import Section, write_report
from tests.inspection.modules import ALL_GOLDEN

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


def test_a_table_with_bars() -> None:
    rows = (("a", "1 B"), ("bcd", "2 B"), ("e", "0 B"))
    section = Section("Sizes", rows, (0.5, 1.0, 0.0), ("more",))
    assert write_plain([section]) == (
        "Sizes\n  a    1 B  ########\n  bcd  2 B  ################\n  e    0 B\n  more\n"
    )


def test_code_is_left_as_it_is() -> None:
    line = "x = " + "1 + " * 40 + "1"
    assert f"  {line}\n" in write_plain([Section("Code", lines=(line,), code=True)])


def test_long_lines_are_indented_as_they_begin() -> None:
    text = write_plain([Section("T", lines=("  " + "word " * 6,))], 20)
    assert text == "T\n    word word word\n      word word word\n"


def test_long_cells_are_wrapped() -> None:
    text = write_plain([Section("T", (("n" * 70, "v" * 70),))], 40)
    assert max(map(len, text.splitlines())) <= 40
    assert text.count("n") == 70


def test_empty_cells() -> None:
    assert write_plain([Section("T", (("", "a"),))]) == "T\n     a\n"


@pytest.mark.parametrize(
    ("widths", "fitted"), [([5, 5], [5, 5]), ([100, 5], [33, 5]), ([60, 60], [19, 19])]
)
def test_the_widest_columns_are_narrowed(widths: list[int], fitted: list[int]) -> None:
    assert fit_columns(widths, 40) == fitted


@pytest.mark.parametrize("path", ALL_GOLDEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_pages_of_modules_fit_eighty_columns(path) -> None:
    sections = [section for section in write_report(inspect(path)) if not section.code]
    assert max(map(len, write_plain(sections).splitlines())) <= 80


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

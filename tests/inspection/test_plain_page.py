"""Tests of hubmodule.inspection.plain_page."""

from __future__ import annotations

import sys

import pytest

from hubmodule.inspection.inspect import inspect
from hubmodule.inspection.plain_page import fit_columns, write_plain
from hubmodule.inspection.report import Section, write_report
from tests.inspection.modules import ALL_GOLDEN


def test_a_table_with_bars() -> None:
    section = Section("Sizes", (("a", "1 B"), ("bcd", "2 B")), (0.5, 1.0), ("more",))
    assert write_plain([section]) == (
        "Sizes\n  a    1 B  ########\n  bcd  2 B  ################\n  more\n"
    )


def test_code_is_left_as_it_is() -> None:
    line = "x = " + "1 + " * 40 + "1"
    assert f"  {line}\n" in write_plain([Section("Code", lines=(line,), code=True)])


def test_long_cells_are_wrapped() -> None:
    text = write_plain([Section("T", (("n" * 70, "v" * 70),))], 40)
    assert max(map(len, text.splitlines())) <= 40
    assert text.count("n") == 70


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

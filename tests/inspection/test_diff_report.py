"""Tests of hubmodule.inspection.diff_report."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from hubmodule.inspection.diff import diff
from hubmodule.inspection.diff_report import write_diff_report
from hubmodule.inspection.differences import Changes, ScopeChange, ValueChange
from hubmodule.inspection.page_printer import write_plain
from tests.inspection.modules import HOSTILE, golden


def test_equal_modules() -> None:
    sections = write_diff_report(diff(golden("image"), golden("image")))
    assert [section.title for section in sections] == ["The modules are equal"]


def test_damaged_modules_are_not_called_equal_without_reserve() -> None:
    found = dataclasses.replace(diff(golden("image"), golden("image")), damage=("It is.",))
    titles = [section.title for section in write_diff_report(found)]
    assert titles == ["The modules are equal, as far as they can be read", "Damaged"]


def test_other_modules() -> None:
    sections = write_diff_report(diff(golden("batch_norm"), golden("image")))
    titles = [section.title for section in sections]
    assert titles == [
        "The modules differ",
        "Programs that call the first cannot call the second",
        "Checkpoints of programs that train the first cannot be restored with the second",
        "Graph variants",
        "Signatures",
        "Variables",
        "Attached messages",
        "Ops by scope",
    ]
    assert max(map(len, write_plain(sections).splitlines())) <= 80


def test_values_and_names() -> None:
    values = (*(ValueChange(f"v{n}", float(n), 0.1) for n in range(30)), ValueChange(HOSTILE))
    same = diff(golden("image"), golden("image"))
    found = dataclasses.replace(
        same,
        values=values,
        assets=Changes(added=(HOSTILE,)),
        damage=("It is.",),
        common_variables=40,
    )
    text = write_plain(write_diff_report(found))
    for part in (
        "It is.",
        "Values of 31 of 40 variables changed",
        "29",
        "and 11 more; --json has all",
    ):
        assert part in text
    assert "\x1b" not in text


def test_values_that_were_not_read() -> None:
    same = diff(golden("image"), golden("image"))
    found = dataclasses.replace(same, values=(ValueChange("v"),))
    section = write_diff_report(found)[-1]
    assert section.title == "Values of 1 of 1 variable changed"
    assert section.rows == (("v",),)
    assert section.lines == ("--weights says by how much",)


def test_values_that_are_not_numbers_say_so() -> None:
    same = diff(golden("image"), golden("image"))
    values = (
        ValueChange("a", 0.5, 0.25),
        ValueChange("b", 1.0, reason="was 0"),
        ValueChange("c", reason="NaN in one of the modules"),
    )
    section = write_diff_report(dataclasses.replace(same, values=values))[-1]
    assert section.rows[1:] == (
        ("b", "1", "was 0"),
        ("c", "NaN in one of the modules", ""),
        ("a", "0.5", "0.25"),
    )
    assert section.lines == ()


def test_what_differs_in_ops_is_named() -> None:
    change = ScopeChange((), "a/", {}, {}, {"Add": 2}, ("T", "input"))
    found = dataclasses.replace(diff(golden("image"), golden("image")), ops=(change,))
    assert write_diff_report(found)[-1].rows == (("a/", "~2 Add; differs in T, input"),)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of scripts.compare_scanners: the table, and that it is of the corpus of today."""

from __future__ import annotations

import sys

import pytest

from scripts import auditing_page
from scripts.compare_scanners import Score, write_comparison
from scripts.scanners import SCANNERS, Scanner
from tests.auditing.evasions import EVASIONS
from tests.auditing.hostile import corpus

HOSTILE = {module.name: module for module in (*corpus(), *EVASIONS)}


def test_a_scanner_that_sees_only_one_op() -> None:
    caught = frozenset(name for name in HOSTILE if name.startswith("ReadFile-"))
    scanner = Scanner("one", "one==1.2", lambda _: set())
    text = write_comparison({scanner: Score(caught, frozenset({"m"}))}, HOSTILE, 7, ["m", "n"])
    row = next(line for line in text.splitlines() if line.startswith("| `one` 1.2"))
    missed = len(HOSTILE) - 8
    assert row.endswith(f"| 8 | {missed} | 1 of 7 |")
    assert text.endswith("in findings of level medium: `m`, `n`.")


def test_a_module_is_in_one_group() -> None:
    text = write_comparison({}, HOSTILE, 0, [])
    assert text.splitlines()[0] == (
        "| scanner | constant name | computed name | fed name | in a function | in a branch | "
        "in a dataset | in an initialiser | in a variant | by an evasion | caught | missed | "
        "false alarms |"
    )


def test_the_page_says_that_the_audit_misses_nothing() -> None:
    section = auditing_page.read_section("scanners")
    assert len(section.splitlines()) == 2 + len(SCANNERS) + 2  # also a blank line and a note
    (row,) = (line for line in section.splitlines() if line.startswith("| `hubmodule audit`"))
    caught, missed, false_alarms = (cell.strip() for cell in row.split("|")[-4:-1])
    assert int(caught) > 700  # how many there are depends on the version of TensorFlow
    assert f"| {len(EVASIONS)} of {len(EVASIONS)} |" in row
    assert missed == "0"
    assert false_alarms.startswith("0 of ")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The table of docs/performance.md, made of the results of a run."""

from __future__ import annotations

import sys

import pytest

from benchmarks.figures import Figures
from benchmarks.page import format_table, replace_table
from benchmarks.table import HEAD


def test_a_row_for_each_case():
    cpu = {library: {"seconds": 1.0, "cpu": 1.0} for library in ("hubmodule", "floor")}
    head, line, *rows = format_table(Figures("", "", {"apply": cpu, "load": cpu})).splitlines()
    assert f"{head}\n{line}" == HEAD
    assert [row.split("|")[1].strip() for row in rows] == [
        "`m(x)` on it",
        "`hub.load` of it, to the first result",
    ]


def test_only_the_table_is_replaced():
    page = "# Title\n\n| a |\n|---|\n\n| case | x |\n|---|---|\n| old | 1 |\n\nThe end.\n"
    assert replace_table(page, "| case |\n| new |") == (
        "# Title\n\n| a |\n|---|\n\n| case |\n| new |\n\nThe end.\n"
    )


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

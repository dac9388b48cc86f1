"""Writes the table of a run into docs/performance.md.

    python -m benchmarks.page FIGURES [--page docs/performance.md]

FIGURES is the file that `python -m benchmarks --json FIGURES` wrote.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from benchmarks import figures
from benchmarks.runs import ROOT, Result
from benchmarks.table import HEAD, format_row


def main() -> None:
    """Replaces the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("figures", type=Path)
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "performance.md")
    options = parser.parse_args()
    table = format_table(figures.read(options.figures))
    options.page.write_text(replace_table(options.page.read_text(), table))


def format_table(run: figures.Figures) -> str:
    """Formats the rows of a run, in its order of cases."""
    rows = [
        format_row(importlib.import_module(f"benchmarks.cases.{name}"), Result(values, {}))
        for name, values in run.results.items()
    ]
    return "\n".join([HEAD, *rows])


def replace_table(text: str, table: str) -> str:
    """Replaces the first table of a page that begins like that of the results.

    Args:
        text: The Markdown of the page.
        table: The new table.
    """
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("| case |"))
    last = next(
        (i for i, line in enumerate(lines) if i > first and not line.startswith("|")), len(lines)
    )
    return "\n".join([*lines[:first], table, *lines[last:]]) + "\n"


if __name__ == "__main__":
    main()

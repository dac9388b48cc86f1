"""Reads the Python code of a Jupyter notebook, without its magics."""

from __future__ import annotations

import ast
import bisect
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

SUFFIX = ".ipynb"

# Magics of a cell whose other lines are Python.
_PYTHON_MAGICS = frozenset({"%%capture", "%%prun", "%%time", "%%timeit"})

# A line for IPython or the shell; or one that gives a variable what such a line returns.
_MAGIC = re.compile(r"^(?P<indent>\s*)([%!?].*|[\w.]+\?\??\s*)$")
_ASSIGNED_MAGIC = re.compile(r"^(?P<target>\s*[\w., ]+=\s*)[%!].*$")


class Notebook(NamedTuple):
    """The code of a notebook.

    Attributes:
        source: The code cells, one below the other; each begins on a line of its own.
        first_lines: Line of `source` on which each code cell begins, counted from 1.
    """

    source: str
    first_lines: tuple[int, ...]

    def locate(self, line: int) -> tuple[int, int]:
        """Returns where a line is.

        Args:
            line: Line of `source`, counted from 1.

        Returns:
            The number of the code cell and the line in it, both counted from 1.
        """
        cell = bisect.bisect_right(self.first_lines, line)
        return cell, line - self.first_lines[cell - 1] + 1


def parse_notebook(text: str) -> Notebook:
    """Returns the code of a notebook.

    Args:
        text: Contents of the notebook's file.

    Raises:
        ValueError: If the file is not a notebook.
    """
    try:
        cells = list(_list_code_cells(json.loads(text)))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"it is not a Jupyter notebook ({error})") from error
    lines: list[str] = []
    first_lines = []
    for cell in cells:
        first_lines.append(len(lines) + 1)
        lines += _remove_magics(cell).splitlines()
    return Notebook("".join(f"{line}\n" for line in lines), tuple(first_lines))


def _list_code_cells(notebook: dict[str, Any]) -> Iterator[str]:
    """Yields the code cells of a notebook, if its language is Python."""
    language = notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    if language != "python":
        return
    # Until version 4 of the format, cells were in worksheets, and their code in `input`.
    sheets = notebook.get("worksheets", [notebook])
    for cell in (cell for sheet in sheets for cell in sheet["cells"]):
        if cell["cell_type"] == "code":
            code = cell["source"] if "source" in cell else cell["input"]
            # An empty cell has a line, too.
            yield "".join(code) or "\n"


def _remove_magics(code: str) -> str:
    """Replaces the lines of a cell that are not Python, and keeps the number of its lines."""
    if _is_python(code):
        return code
    first, *_ = code.split(maxsplit=1)
    if first.startswith("%%") and first not in _PYTHON_MAGICS:
        return "\n" * (code.count("\n") + 1)
    return "\n".join(
        _ASSIGNED_MAGIC.sub(r"\g<target>None", _MAGIC.sub(r"\g<indent>pass", line))
        for line in code.split("\n")
    )


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True

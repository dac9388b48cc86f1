"""Runs notebooks, as Jupyter does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.processes import run_python

# Runs the cells in a shell of IPython, up to the first error.
_PROGRAM = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell

cells, directory = json.loads(sys.stdin.read())
os.chdir(directory)
shell = InteractiveShell.instance()
for cell in cells:
    shell.run_cell(cell, store_history=True).raise_error()
"""


def read_notebook(path: Path) -> dict[str, Any]:
    """Returns the JSON of a notebook."""
    return json.loads(path.read_text(encoding="utf-8"))


def run_notebook(path: Path) -> str:
    """Runs a notebook in its directory; returns what it prints. It must succeed."""
    cells = [
        "".join(cell["source"])
        for cell in read_notebook(path)["cells"]
        if cell["cell_type"] == "code"
    ]
    done = run_python("-c", _PROGRAM, stdin=json.dumps([cells, str(path.parent)]))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def has_outputs(path: Path) -> bool:
    """Whether a notebook was saved with the outputs of a run."""
    return any(
        cell["outputs"] or cell["execution_count"] is not None
        for cell in read_notebook(path)["cells"]
        if cell["cell_type"] == "code"
    )

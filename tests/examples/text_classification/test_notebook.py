"""The notebook about text classification."""

from __future__ import annotations

import re
import sys

import pytest

from tests.notebooks import has_outputs, run_notebook
from tests.processes import ROOT

pytest.importorskip("IPython")
pytest.importorskip("pandas")
pytest.importorskip("polars")
NOTEBOOK = ROOT / "examples" / "text_classification" / "notebook.ipynb"


def test_it_runs():
    output = run_notebook(NOTEBOOK)
    assert "function placeholder" in output
    rows = re.findall(r"^(glove|random) +([\d.]+) +([\d.]+)$", output, re.M)
    assert [name for name, _, _ in rows] == ["glove", "random"]
    assert all(float(frozen) < float(trained) for _, frozen, trained in rows)
    (matrix,) = re.findall(r"^\[\[ *(\d+) +(\d+)\]\n \[ *(\d+) +(\d+)\]\]$", output, re.M)
    assert sum(map(int, matrix)) == 600
    accuracy = (int(matrix[0]) + int(matrix[3])) / 600
    assert accuracy == pytest.approx(float(rows[0][2]), abs=1e-3)
    assert output.splitlines()[-1] == "(2, 50)"


def test_it_is_saved_without_outputs():
    assert not has_outputs(NOTEBOOK)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

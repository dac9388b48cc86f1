"""The notebook about image retraining."""

from __future__ import annotations

import re
import sys

import pytest

from tests.notebooks import has_outputs, run_notebook
from tests.processes import ROOT

pytest.importorskip("IPython")
NOTEBOOK = ROOT / "examples" / "image_retraining" / "notebook.ipynb"


def test_it_runs():
    output = run_notebook(NOTEBOOK)
    assert "{'arrow': 160, 'bar': 160, " in output
    frozen, tuned = re.search(r"^frozen ([\d.]+)%, fine-tuned ([\d.]+)%$", output, re.M).groups()
    assert 70 < float(frozen) < float(tuned)
    assert output.splitlines()[-1].count("'spark'") >= 3


def test_it_is_saved_without_outputs():
    assert not has_outputs(NOTEBOOK)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The page about publishing runs when its blocks are pasted."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from tests.pages import make_program, read_page, run_in_checkout

PAGE = read_page("publishing.md")
ONNX = "## To ONNX\n"


def test_everything_runs_when_pasted(tmp_path: Path) -> None:
    text, heading, rest = PAGE.partition(ONNX)
    assert heading
    if importlib.util.find_spec("tf2onnx") and importlib.util.find_spec("onnxruntime"):
        text += rest
    run_in_checkout(tmp_path, make_program(text))
    modules = {path.name for path in (tmp_path / "modules").iterdir()}
    assert modules == set(re.findall(r'"modules/(\w+)"', PAGE))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The page about publishing runs, block by block, as its readers run it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "publishing.md").read_text(encoding="utf-8")
ONNX = "## To ONNX\n"
PREPARATION = "import subprocess\n"
COMMAND = "subprocess.run(['bash', '-euc', {!r}], check=True)\n"


def read_program(text: str) -> str:
    """The blocks of a page as one program, which runs those of the shell, too."""
    blocks = re.findall(r"```(python|shell)\n(.*?)```", text, re.DOTALL)
    return PREPARATION + "\n".join(
        block if language == "python" else COMMAND.format(block) for language, block in blocks
    )


def run_in(directory: Path, program: str) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def test_everything_runs_when_pasted(tmp_path: Path) -> None:
    text, onnx, rest = PAGE.partition(ONNX)
    program = read_program(text)
    assert onnx
    if importlib.util.find_spec("tf2onnx") and importlib.util.find_spec("onnxruntime"):
        program += "\n" + read_program(rest)
    run_in(tmp_path, program)
    modules = {path.name for path in (tmp_path / "modules").iterdir()}
    assert modules == set(re.findall(r'"modules/(\w+)"', PAGE))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Runs the blocks of a page in docs/, as readers who paste them do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT

_START = "import subprocess\n"
_SHELL = "subprocess.run(['bash', '-euc', {!r}], check=True)\n"


def read_page(name: str) -> str:
    """Returns the text of a page in docs/."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def make_program(text: str) -> str:
    """Makes one program of the blocks of Python and of the shell in a text."""
    blocks = re.findall(r"^```(python|shell)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return _START + "\n".join(
        block if language == "python" else _SHELL.format(block) for language, block in blocks
    )


def run_in_checkout(directory: Path, program: str) -> str:
    """Runs a program in a directory that looks like a checkout, and returns what it prints."""
    (directory / "examples").symlink_to(ROOT / "examples")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TF_USE_LEGACY_KERAS": "",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout

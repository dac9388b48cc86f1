"""Runs Python programs, for what a process can do only once."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run_python(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess:
    """Runs the interpreter with the project importable; a variable set to "" is unset."""
    merged = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "", **environment}
    merged["PYTHONPATH"] = str(ROOT)
    return subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        env={name: value for name, value in merged.items() if value},
    )


def run_code(code: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs a program given as text."""
    return run_python("-c", textwrap.dedent(code), **environment)


def output_of(code: str, **environment: str) -> list[str]:
    """The lines that a program prints; it must succeed."""
    done = run_code(code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]

"""Runs the command line within the process."""

from __future__ import annotations

import os
import pathlib

import pytest

from hubmodule import __main__ as command_line
from hubmodule.cache import cache as caches


def use_fresh_environment(monkeypatch: pytest.MonkeyPatch, folder: pathlib.Path) -> None:
    """No settings but for a cache in a folder."""
    for name in list(os.environ):
        if name.startswith(("TFHUB_", "HUBMODULE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(folder / "cache"))
    # The command line sets these; so they are put back.
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")


def let_go() -> None:
    """Ends this process's use of all modules, as if another process did the rest."""
    for mark in filter(None, caches._marks.values()):
        os.close(mark)
    caches._marks.clear()


class Result:
    """What a command printed, and its exit status."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str):
        capsys.readouterr()
        self.status = command_line.main(arguments)
        self.out, self.err = capsys.readouterr()

"""Tests of hubmodule.commands.command."""

from __future__ import annotations

import argparse
import sys

import pytest

from hubmodule.commands.command import (
    Command,
    add_cache_dir,
    add_commands,
    print_error,
    read_settings,
)


def parsed(*arguments: str) -> argparse.Namespace:
    """What is typed after `program greet`, a command with --cache-dir."""
    parser = argparse.ArgumentParser()
    add_commands(parser, [Command("greet", "Say hello.", add_cache_dir, lambda parsed: 7)])
    return parser.parse_args(["greet", *arguments])


def test_a_command_is_run() -> None:
    chosen = parsed()
    assert chosen.run(chosen) == 7


def test_a_command_is_needed() -> None:
    parser = argparse.ArgumentParser()
    add_commands(parser, [])
    with pytest.raises(SystemExit):
        parser.parse_args([])


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", "/usual")
    assert read_settings(parsed()).cache_dir == "/usual"
    assert read_settings(parsed("--cache-dir", "/other")).cache_dir == "/other"


def test_what_went_wrong_is_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_error(ValueError("It broke.")) == 1
    assert capsys.readouterr() == ("", "hubmodule: error: It broke.\n")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

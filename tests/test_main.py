"""The command line."""

from __future__ import annotations

import argparse
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

import hubmodule
from hubmodule import __main__ as command_line
from hubmodule.commands import cache
from tests.commands.running import Result, use_fresh_environment

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    use_fresh_environment(monkeypatch, tmp_path)


def commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, str | None]]:
    """Each subcommand and argument, with its help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help for choice in action._choices_actions}
            for choice, child in action.choices.items():
                yield f"{name} {choice}", helps.get(choice)
                yield from commands(child, f"{name} {choice}")
        elif not isinstance(action, argparse._HelpAction):
            yield f"{name} {action.dest}", action.help


def test_every_command_and_argument_is_documented() -> None:
    found = dict(commands(command_line.make_parser()))
    assert {
        " convert",
        " inspect",
        " show",
        " diff",
        " resolve",
        " publish",
        " serve",
        " cache list",
        " cache verify",
        " cache prune",
        " cache remove",
        " lock",
        " bundle",
        " unbundle",
        " cache path",
    } <= set(found)
    assert [name for name, text in found.items() if not text] == []


def test_a_command_is_a_sentence() -> None:
    every = (*command_line.COMMANDS, *cache.COMMANDS)
    assert [c.name for c in every if not re.fullmatch(r"[A-Z].*\.", c.help)] == []


@pytest.mark.parametrize("module", ["tensorflow", "requests", "keras", "numpy"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["cache", "list"],
        ["cache", "path", "https://h/m"],
        ["convert", "-h"],
        ["resolve", "-h"],
        ["publish", "-h"],
        ["serve", "-h"],
        ["lock", "-h"],
        ["bundle", "-h"],
        ["unbundle", "-h"],
    ],
)
def test_nothing_is_imported_that_a_command_does_not_need(
    module: str, arguments: list[str]
) -> None:
    program = (
        "import sys\n"
        "from hubmodule.__main__ import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        f"print({module!r} in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert out.splitlines()[-1] == "False"


# -S leaves out the installed packages, TensorFlow among them.
def run_without_packages(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-S", "-m", "hubmodule", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["cache", "--help"],
        ["resolve", "--help"],
        ["publish", "--help"],
        ["serve", "--help"],
        ["convert", "--help"],
        ["lock", "--help"],
        ["bundle", "--help"],
        ["unbundle", "--help"],
        ["run", "--help"],
    ],
    ids=" ".join,
)
def test_help_needs_no_tensorflow(arguments: list[str]) -> None:
    done = run_without_packages(*arguments)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["convert", "in", "out"], ["run", "program.py"]])
def test_a_command_that_needs_tensorflow_says_what_to_install(arguments: list[str]) -> None:
    done = run_without_packages(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "hubmodule: error: hubmodule needs TensorFlow, which is not installed; install one: pip"
    )
    assert len(done.stderr.splitlines()) == 1


def test_it_runs_as_a_module(tmp_path: pathlib.Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hubmodule", "cache", "path", "--cache-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{tmp_path}\n"


def test_standard_error_is_free_of_tensorflow(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    done = subprocess.run(
        [sys.executable, "-m", "hubmodule", "resolve", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (f"{tmp_path}\n", "")


def test_a_reader_that_has_seen_enough(tmp_path: pathlib.Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hubmodule", "resolve", *[str(tmp_path)] * 9],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_an_interrupt(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hubmodule.resolver.resolvers.resolve_with", interrupt)
    result = Result(capsys, "resolve", "https://h/m")
    assert (result.status, result.err) == (130, "hubmodule: interrupted\n")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command_line.main(["--version"])
    assert (caught.value.code, capsys.readouterr().out) == (0, f"{hubmodule.__version__}\n")


def test_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command_line.main([])
    assert caught.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

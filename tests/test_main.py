"""The command line."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

import hubmodule
from hubmodule import __main__ as command_line
from hubmodule.resolver import owners
from hubmodule.resolver.handles import cache_key
from tests.resolver import archives, servers

ROOT = pathlib.Path(__file__).parents[1]
DENSE = str(ROOT / "tests" / "golden" / "made_by_tf215" / "dense_regularized")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    for name in list(os.environ):
        if name.startswith(("TFHUB_", "HUBMODULE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    # The command line sets these; so they are put back.
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")


@pytest.fixture
def server() -> Iterator[servers.Server]:
    with servers.serving({"/m": servers.whole(archives.tar_gz())}) as server:
        yield server


class Result:
    """What a command printed, and its exit status."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str):
        capsys.readouterr()
        self.status = command_line.main(arguments)
        self.out, self.err = capsys.readouterr()


def let_go(cache: pathlib.Path, handle: str) -> None:
    """Ends this process's use of a module."""
    (cache / ".hubmodule" / "uses" / cache_key(handle) / owners.this_process().token).unlink()


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
        " resolve",
        " cache list",
        " cache verify",
        " cache prune",
        " cache path",
    } <= set(found)
    assert [name for name, text in found.items() if not text] == []


def test_a_command_is_a_sentence() -> None:
    every = (*command_line.COMMANDS, *command_line.CACHE_COMMANDS)
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


def test_resolve(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = f"{server.url}/m"
    result = Result(capsys, "resolve", handle, str(tmp_path))
    assert (result.status, result.out) == (
        0,
        f"{tmp_path}/cache/{cache_key(handle)}\n{tmp_path}\n",
    )


def test_resolve_goes_on_after_an_error(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(capsys, "resolve", "/no/such/module", str(tmp_path))
    assert (result.status, result.out) == (1, f"{tmp_path}\n")
    assert result.err == (
        "hubmodule: error: /no/such/module does not exist. Check the path; a module on the web "
        "needs its whole address, https://…\n"
    )


def test_resolve_offline(server: servers.Server, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "resolve", "--offline", f"{server.url}/m")
    assert result.status == 1
    assert "Nothing is cached." in result.err
    assert server.requests == []


def test_resolve_into_another_cache(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(capsys, "resolve", f"{server.url}/m", "--cache-dir", str(tmp_path / "other"))
    assert result.out.startswith(f"{tmp_path}/other/")


def test_convert(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    arguments = ["convert", DENSE, out, "--to", "serving"]
    result = Result(capsys, *arguments)
    assert (result.status, result.out) == (0, f"Wrote {out}\n")
    assert (tmp_path / "out" / "saved_model.pb").is_file()
    refused = Result(capsys, *arguments)
    assert (refused.status, refused.out) == (1, "")
    assert out in refused.err
    assert Result(capsys, *arguments, "--overwrite").status == 0


def test_convert_to_where_nothing_can_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    refused = Result(capsys, "convert", DENSE, "/dev/null/out")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("hubmodule: error: /dev/null")


def test_what_takes_long_shows_its_time_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = threading.Event()
    monkeypatch.setattr(sys.stderr, "flush", shown.set)
    with command_line._time_shown("Converting m", patience=0.01):
        assert shown.wait(60.0)
    assert re.fullmatch(r"(\rConverting m: \d+ s)+\r +\r", capsys.readouterr().err)


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_done_soon_shows_nothing(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with command_line._time_shown("Converting m", patience=60.0 if terminal else 0.0):
        pass
    assert capsys.readouterr().err == ""


def test_list(server: servers.Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert Result(capsys, "cache", "list").out == (
        "      SIZE     AGE  UNUSED  STATE       HANDLE\n"
    )
    Result(capsys, "resolve", f"{server.url}/m")
    lines = Result(capsys, "cache", "list").out.splitlines()
    assert re.fullmatch(rf"   11\.0 kB      \ds      \ds  complete    {server.url}/m", lines[1])


def test_list_as_json(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = f"{server.url}/m"
    Result(capsys, "resolve", handle)
    folder = tmp_path / "cache" / cache_key(handle)
    (folder / "saved_model.pb").unlink()
    [module] = json.loads(Result(capsys, "cache", "list", "--json").out)
    assert module.pop("age_seconds") in range(60)
    assert module.pop("unused_seconds") in range(60)
    assert module == {
        "handle": handle,
        "path": str(folder),
        "size": sum(len(data) for data in archives.MODULE.values()) - 700,
        "state": "damaged",
        "detail": "saved_model.pb is missing",
    }


def test_list_of_what_nobody_knows(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cache" / ("ab" * 20)
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"a graph")
    assert f"adopted     unknown, in {folder}" in Result(capsys, "cache", "list").out


def test_verify(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = f"{server.url}/m"
    Result(capsys, "resolve", handle)
    result = Result(capsys, "cache", "verify")
    assert (result.status, result.out) == (0, f"ok: {handle}\n")
    (tmp_path / "cache" / cache_key(handle) / "tfhub_module.pb").write_bytes(b"\x08\x04")
    result = Result(capsys, "cache", "verify", handle)
    assert (result.status, result.out) == (
        1,
        f"damaged: {handle}\n"
        "    tfhub_module.pb has other bytes than when it was fetched\n"
        "    Repair it with: python -m hubmodule cache verify --repair\n",
    )


def test_verify_and_repair(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = f"{server.url}/m"
    Result(capsys, "resolve", handle)
    path = tmp_path / "cache" / cache_key(handle) / "tfhub_module.pb"
    path.write_bytes(b"\x08\x04")
    result = Result(capsys, "cache", "verify", "--repair")
    assert result.status == 0
    assert result.out.endswith(f"repaired: {handle}\n")
    assert path.read_bytes() == b"\x08\x03"


def test_a_repair_that_fails(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [servers.whole(archives.tar_gz()), servers.status(404)]
    with servers.serving({"/m": answers}) as server:
        handle = f"{server.url}/m"
        Result(capsys, "resolve", handle)
        (tmp_path / "cache" / cache_key(handle) / "tfhub_module.pb").unlink()
        result = Result(capsys, "cache", "verify", "--repair")
    assert result.status == 1
    assert "answered 404 Not Found" in result.err


def test_a_repair_that_would_need_a_password(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = server.url.replace("http://", "http://me:secret@") + "/m"
    Result(capsys, "resolve", handle)
    path = tmp_path / "cache" / cache_key(handle) / "tfhub_module.pb"
    path.write_bytes(b"\x08\x04")
    result = Result(capsys, "cache", "verify", "--repair")
    assert (result.status, result.out) == (
        1,
        f"damaged: {server.url}/m\n"
        "    tfhub_module.pb has other bytes than when it was fetched\n"
        "    Its handle had a password, which is not kept: it is fetched at its next use.\n",
    )
    assert len(os.listdir(tmp_path / "cache")) == 4  # no second module
    Result(capsys, "resolve", handle)
    assert path.read_bytes() == b"\x08\x03"


def test_verify_what_nobody_knows(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cache" / ("ab" * 20)
    folder.mkdir(parents=True)
    result = Result(capsys, "cache", "verify", "--repair")
    assert (result.status, result.out) == (
        1,
        f"damaged: {folder}\n    saved_model.pb is missing\n"
        f"    Its handle is unknown: remove {folder} and fetch it again.\n",
    )
    (folder / "saved_model.pb").write_bytes(b"a graph")
    result = Result(capsys, "cache", "verify")
    assert (result.status, result.out) == (0, f"ok (sizes only): {folder}\n")


def test_verify_what_is_not_there(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(capsys, "cache", "verify", "https://h/m")
    assert (result.status, result.err) == (
        1,
        f"hubmodule: error: https://h/m is not in the cache {tmp_path}/cache. To see what is: "
        "python -m hubmodule cache list\n",
    )


def test_prune(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = f"{server.url}/m"
    Result(capsys, "resolve", handle)
    arguments = ["cache", "prune", "--max-size", "1kB"]
    in_use = Result(capsys, *arguments).out
    let_go(tmp_path / "cache", handle)
    dry = Result(capsys, *arguments, "--dry-run").out
    real = Result(capsys, *arguments).out
    assert in_use == f"in use: {handle}\nremoved 0 B in all\n"
    assert dry == f"would remove: {handle} (11.0 kB)\nwould remove 11.0 kB in all\n"
    assert real == f"removed: {handle} (11.0 kB)\nremoved 11.0 kB in all\n"
    assert not (tmp_path / "cache" / cache_key(handle)).exists()


def test_prune_keeps_what_is_young(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Result(capsys, "resolve", f"{server.url}/m")
    let_go(tmp_path / "cache", f"{server.url}/m")
    result = Result(capsys, "cache", "prune", "--older-than", "30d")
    assert result.out == "removed 0 B in all\n"


def test_prune_wants_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "cache", "prune")
    assert (result.status, result.err) == (
        1,
        "hubmodule: error: Say what to remove: --older-than 30d, --max-size 10GB, or both.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--older-than", "soon"], "'soon' is not a time such as 12h, 30d or 8w"),
        (["--older-than", "30"], "'30' is not a time such as 12h, 30d or 8w"),
        (["--max-size", "10 apples"], "'10 APPLES' is not a size such as 500MB or 10GB"),
    ],
)
def test_limits_that_mean_nothing(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        command_line.main(["cache", "prune", *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "value"),
    [("90s", 90.0), ("1.5m", 90.0), ("12h", 43200.0), ("30d", 2592000.0), ("2w", 1209600.0)],
)
def test_times(text: str, value: float) -> None:
    parsed = command_line.make_parser().parse_args(["cache", "prune", "--older-than", text])
    assert parsed.older_than == value


@pytest.mark.parametrize(
    ("text", "value"), [("5B", 5), ("1.5kB", 1500), ("500MB", 500 * 10**6), ("10 GB", 10**10)]
)
def test_sizes(text: str, value: int) -> None:
    parsed = command_line.make_parser().parse_args(["cache", "prune", "--max-size", text])
    assert parsed.max_size == value


@pytest.mark.parametrize("option", ["--max-size", "--older-than"])
@pytest.mark.parametrize("text", ["", "1", "1x", "1e9", "9" * 400 + "GB"])
def test_what_is_no_quantity(option: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["cache", "prune", option, text])
    assert "is not a" in capsys.readouterr().err


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


def test_path(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Result(capsys, "cache", "path").out == f"{tmp_path}/cache\n"
    assert Result(capsys, "cache", "path", "https://h/m").out == (
        f"{tmp_path}/cache/{cache_key('https://h/m')}\n"
    )


def test_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command_line.main([])
    assert caught.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

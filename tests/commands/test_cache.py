"""Tests of hubmodule.commands.cache."""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys

import pytest

from hubmodule import __main__ as command_line
from hubmodule.resolver import cache as caches
from hubmodule.resolver.handles import make_cache_key
from tests.commands.running import Result
from tests.resolver import archives, servers


def let_go() -> None:
    """Ends this process's use of all modules."""
    for mark in filter(None, caches._marks.values()):
        os.close(mark)
    caches._marks.clear()


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
    folder = tmp_path / "cache" / make_cache_key(handle)
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
    (tmp_path / "cache" / make_cache_key(handle) / "tfhub_module.pb").write_bytes(b"\x08\x04")
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
    path = tmp_path / "cache" / make_cache_key(handle) / "tfhub_module.pb"
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
        (tmp_path / "cache" / make_cache_key(handle) / "tfhub_module.pb").unlink()
        result = Result(capsys, "cache", "verify", "--repair")
    assert result.status == 1
    assert "answered 404 Not Found" in result.err


def test_a_repair_that_would_need_a_password(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = server.url.replace("http://", "http://me:secret@") + "/m"
    Result(capsys, "resolve", handle)
    path = tmp_path / "cache" / make_cache_key(handle) / "tfhub_module.pb"
    path.write_bytes(b"\x08\x04")
    result = Result(capsys, "cache", "verify", "--repair")
    assert (result.status, result.out) == (
        1,
        f"damaged: {server.url}/m\n"
        "    tfhub_module.pb has other bytes than when it was fetched\n"
        "    Its handle had a password or a query, which is not kept: it is fetched at its next "
        "use.\n",
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
    let_go()
    dry = Result(capsys, *arguments, "--dry-run").out
    real = Result(capsys, *arguments).out
    assert in_use == f"in use: {handle}\nremoved 0 B in all\n"
    assert dry == f"would remove: {handle} (11.0 kB)\nwould remove 11.0 kB in all\n"
    assert real == f"removed: {handle} (11.0 kB)\nremoved 11.0 kB in all\n"
    assert not (tmp_path / "cache" / make_cache_key(handle)).exists()


def test_prune_keeps_what_is_young(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Result(capsys, "resolve", f"{server.url}/m")
    let_go()
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


def test_path(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Result(capsys, "cache", "path").out == f"{tmp_path}/cache\n"
    assert Result(capsys, "cache", "path", "https://h/m").out == (
        f"{tmp_path}/cache/{make_cache_key('https://h/m')}\n"
    )


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

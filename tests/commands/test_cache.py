"""Tests of hubmodule.commands.cache."""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys

import pytest

from hubmodule import __main__ as command_line
from hubmodule.handles import make_cache_key
from tests.commands.running import Result, let_go
from tests.resolver import archives, servers


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


def test_a_repair_never_brings_other_content(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = archives.tar_gz({**archives.MODULE, "tfhub_module.pb": b"\x08\x04"})
    with servers.serving(
        {"/m": [servers.whole(archives.tar_gz()), servers.whole(other)]}
    ) as server:
        handle = f"{server.url}/m"
        Result(capsys, "resolve", handle)
        path = tmp_path / "cache" / make_cache_key(handle) / "tfhub_module.pb"
        path.write_bytes(b"\x08\x05")
        result = Result(capsys, "cache", "verify", "--repair")
    assert result.status == 1
    assert f"is damaged, and {handle} now has other content: " in result.err
    assert f"python -m hubmodule resolve --refresh {handle}\n" in result.err
    assert path.read_bytes() == b"\x08\x05"


def test_a_repair_without_digests_says_so(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = f"{server.url}/m"
    folder = tmp_path / "cache" / make_cache_key(handle)
    folder.mkdir(parents=True)
    folder.with_suffix(".descriptor.txt").write_text(f"Module: {handle}\n")
    result = Result(capsys, "cache", "verify", "--repair")
    assert result.status == 0
    assert result.out.endswith(
        f"repaired: {handle} (its digests were not known: its content may be other)\n"
    )


def test_remove(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = f"{server.url}/m"
    Result(capsys, "resolve", handle)
    let_go()
    result = Result(capsys, "cache", "remove", handle)
    assert (result.status, result.out) == (0, f"removed: {handle}\n")
    assert os.listdir(tmp_path / "cache") == [".hubmodule"]
    result = Result(capsys, "cache", "remove", handle)
    assert (result.status, result.err) == (
        1,
        f"hubmodule: error: {handle} is not in the cache {tmp_path}/cache. To see what is: python "
        "-m hubmodule cache list\n",
    )


def test_remove_what_is_in_use(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = f"{server.url}/m"
    Result(capsys, "resolve", handle)
    result = Result(capsys, "cache", "remove", handle)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"hubmodule: error: {handle} may be in use: ")
    assert (tmp_path / "cache" / make_cache_key(handle) / "saved_model.pb").exists()


def test_remove_what_the_list_shows(
    server: servers.Server, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Result(capsys, "resolve", f"{server.url}/m?key=secret")
    let_go()
    unknown = tmp_path / "cache" / ("ab" * 20)
    unknown.mkdir()
    result = Result(capsys, "cache", "remove", f"{server.url}/m", str(unknown))
    assert (result.status, result.out) == (0, f"removed: {server.url}/m\nremoved: {unknown}\n")
    assert os.listdir(tmp_path / "cache") == [".hubmodule"]


def test_remove_from_a_remote_cache(
    server: servers.Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", "ram://test_remove/cache")
    Result(capsys, "resolve", f"{server.url}/m")
    assert Result(capsys, "cache", "remove", f"{server.url}/m").status == 0
    assert Result(capsys, "cache", "list", "--json").out == "[]\n"


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

"""Tests of hubmodule.commands.serve; tests/hosting/test_serving.py runs it."""

from __future__ import annotations

import pathlib
import socket
import sys

import pytest

from tests.commands.running import Result


def test_the_defaults(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    calls = []
    monkeypatch.setattr(
        "hubmodule.hosting.serving.serve", lambda *arguments: calls.append(arguments)
    )
    assert Result(capsys, "serve", "hub").status == 0
    assert Result(capsys, "serve", "hub", "--host", "::", "--port", "0").status == 0
    assert calls == [("hub", "127.0.0.1", 8501, ""), ("hub", "::", 0, "")]


@pytest.mark.parametrize("text", ["/hub", "hub/", "/hub/"])
def test_a_prefix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    prefixes = []
    monkeypatch.setattr(
        "hubmodule.hosting.serving.serve", lambda *arguments: prefixes.append(arguments[3])
    )
    assert Result(capsys, "serve", "hub", "--prefix", text).status == 0
    assert prefixes == ["/hub"]


@pytest.mark.parametrize("text", ["https://hub.example.com/hub", "/h?b", "/<b>"])
def test_what_is_not_a_prefix(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        Result(capsys, "serve", "hub", "--prefix", text)
    assert ended.value.code == 2


def test_a_hub_that_does_not_exist(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = Result(capsys, "serve", str(tmp_path / "none"))
    assert (refused.status, refused.err) == (
        1,
        f"hubmodule: error: The hub {tmp_path}/none does not exist. "
        "`hubmodule publish` makes it.\n",
    )


def test_a_port_in_use(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        refused = Result(capsys, "serve", str(tmp_path), "--port", str(port))
    assert refused.status == 1
    assert f"Cannot listen at 127.0.0.1, port {port}: Address already in use." in refused.err


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_other_ports(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit) as ended:
        Result(capsys, "serve", "hub", f"--port={port}")
    assert ended.value.code == 2


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

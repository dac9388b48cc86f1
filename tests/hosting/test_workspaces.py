"""Tests of hubmodule.hosting.workspaces."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
import sys

import pytest

from hubmodule._plain_errors import VersionTakenError
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName
from hubmodule.hosting.workspaces import open_workspace
from tests.processes import ROOT

NAME = ModuleName("team", "encoder")
PUBLISHER = """
import os, sys
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.names import ModuleName
from hubmodule.hosting.workspaces import open_workspace
with open_workspace(HubDirectory(sys.argv[1]), ModuleName("team", "encoder")) as workspace:
    print(workspace, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=["local", "ram"])
def hub(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> HubDirectory:
    if request.param == "local":
        return HubDirectory(tmp_path)
    return HubDirectory(f"ram://{tmp_path.name}-{request.node.name}")


def never(seconds: float) -> None:
    raise AssertionError(f"waits for {seconds} seconds")


def test_a_workspace_is_hidden_and_removed(hub: HubDirectory) -> None:
    with open_workspace(hub, NAME, never) as workspace:
        assert workspace.startswith(f"{hub.locate_module(NAME)}/.publishing-")
        hub.file_system.write(f"{workspace}/facts.json", b"{}")
        assert hub.list_modules() == []
    assert hub.file_system.list_sizes(hub.path) == {}


def test_a_workspace_is_removed_after_an_error(hub: HubDirectory) -> None:
    with pytest.raises(KeyError), open_workspace(hub, NAME, never) as workspace:
        hub.file_system.write(f"{workspace}/facts.json", b"{}")
        raise KeyError
    assert hub.file_system.list_sizes(hub.path) == {}


@pytest.mark.parametrize("error", [FileNotFoundError, None])
def test_a_workspace_that_another_publisher_removes_at_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError] | None
) -> None:
    hub = HubDirectory(tmp_path)
    make_directory = hub.file_system.make_directory
    made = []

    def make_and_remove_first(path: str) -> None:
        make_directory(path)
        if "/.publishing-" in path:
            made.append(path)
            if len(made) == 1:
                os.rmdir(path)
                if error is not None:
                    raise error

    monkeypatch.setattr(hub.file_system, "make_directory", make_and_remove_first)
    with open_workspace(hub, NAME) as workspace:
        assert [workspace] == made[1:]
        assert os.path.isdir(workspace)


def test_two_publishers_on_a_local_file_system(tmp_path: pathlib.Path) -> None:
    hub = HubDirectory(tmp_path)
    with open_workspace(hub, NAME) as first, open_workspace(hub, NAME) as second:
        assert first != second
        assert os.path.isdir(first)
        assert os.path.isdir(second)


def test_the_workspace_of_a_killed_process_is_removed(tmp_path: pathlib.Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        workspace = process.stdout.readline().strip()
        with open_workspace(HubDirectory(tmp_path), NAME):
            assert os.path.isdir(workspace)  # it is alive
        process.kill()
        process.wait()
    assert os.path.isdir(workspace)
    with open_workspace(HubDirectory(tmp_path), NAME):
        assert not os.path.exists(workspace)


def test_the_workspace_of_another_machine_stays(tmp_path: pathlib.Path) -> None:
    other = tmp_path / "team/encoder/.publishing-0123456789abcdef-1"
    other.mkdir(parents=True)
    with open_workspace(HubDirectory(tmp_path), NAME):
        assert other.is_dir()


@pytest.fixture
def remote(tmp_path: pathlib.Path) -> HubDirectory:
    return HubDirectory(f"ram://{tmp_path.name}-remote")


def test_two_publishers_in_another_store(remote: HubDirectory) -> None:
    pauses: list[float] = []
    claims = f"{remote.locate_module(NAME)}/.claims"
    with open_workspace(remote, NAME, never):
        [claim] = remote.file_system.list_names(claims)
        said = json.loads(remote.file_system.read(f"{claims}/{claim}"))
        assert (said["host"], said["process"]) == (socket.gethostname(), os.getpid())
        expected = pytest.raises(VersionTakenError)
        with expected as caught, open_workspace(remote, NAME, pauses.append):
            pass
        # It took its own claims back.
        assert remote.file_system.list_names(claims) == [claim]
    assert len(pauses) == 9
    assert all(0 <= pause <= 2 for pause in pauses)
    assert str(caught.value) == (
        f"Another process publishes team/encoder to {remote.path}. Try again when it has ended; "
        f"if it was killed, remove {claims}/{claim}, which says who it was."
    )
    with open_workspace(remote, NAME, never):
        pass


def test_a_publisher_waits_for_another_one(remote: HubDirectory) -> None:
    claim = f"{remote.locate_module(NAME)}/.claims/other"
    remote.file_system.write(claim, b"{}")
    with open_workspace(remote, NAME, lambda seconds: remote.file_system.remove(claim)):
        pass


def test_what_a_killed_publisher_left_in_another_store(remote: HubDirectory) -> None:
    left = f"{remote.locate_module(NAME)}/.publishing-any-1"
    remote.file_system.make_directory(left)
    remote.file_system.write(f"{left}/module.tar.gz", b"half")
    with open_workspace(remote, NAME, never):
        assert not remote.file_system.exists(left)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""What tests of lock files and bundles share: a cache of their own, and a server."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

import pytest

from tests.resolver import archives, servers

SMALL = {"saved_model.pb": b"a small graph"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """No setting but a cache directory, which does not exist yet."""
    for name in list(os.environ):
        if name.startswith(("HUBMODULE_", "TFHUB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def server() -> Iterator[servers.Server]:
    """Has the modules /m and /s."""
    answers = {
        "/m": servers.whole(archives.tar_gz()),
        "/s": servers.whole(archives.tar(SMALL)),
    }
    with servers.serving(answers) as server:
        yield server


@pytest.fixture
def handles(server: servers.Server) -> list[str]:
    """The handles of both modules."""
    return [f"{server.url}/m", f"{server.url}/s"]

"""What the tests of the subcommands have in common."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.commands.running import use_fresh_environment
from tests.resolver import archives, servers


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    use_fresh_environment(monkeypatch, tmp_path)


@pytest.fixture
def server() -> Iterator[servers.Server]:
    with servers.serving({"/m": servers.whole(archives.tar_gz())}) as server:
        yield server

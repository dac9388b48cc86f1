"""What a killed tensorflow_hub left."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest

from hubmodule.resolver.foreign import forget_dead_lock
from hubmodule.resolver.storage import LocalStorage

KEY = "ab" * 20


def leave_lock(cache: pathlib.Path, content: str) -> pathlib.Path:
    (cache / f"{KEY}.0a1b.tmp").mkdir()
    (cache / f"{KEY}.0a1b.tmp" / "saved_model.pb").touch()
    (cache / f"{KEY}.lock").write_text(content)
    return cache / f"{KEY}.lock"


def forget(cache: pathlib.Path) -> bool:
    return forget_dead_lock(LocalStorage(), str(cache), KEY)


@pytest.fixture
def dead() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_no_lock(tmp_path: pathlib.Path) -> None:
    assert not forget(tmp_path)


def test_a_lock_of_an_ended_process(tmp_path: pathlib.Path, dead: int) -> None:
    leave_lock(tmp_path, f"{socket.gethostname()}.{dead}.0a1b")
    assert forget(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_lock_of_a_living_process(tmp_path: pathlib.Path) -> None:
    lock = leave_lock(tmp_path, f"{socket.gethostname()}.{os.getpid()}.0a1b")
    assert not forget(tmp_path)
    assert lock.exists()


def test_a_lock_older_than_the_process_with_its_number(tmp_path: pathlib.Path) -> None:
    lock = leave_lock(tmp_path, f"{socket.gethostname()}.{os.getpid()}.0a1b")
    long_ago = time.time() - 365 * 24 * 3600
    os.utime(lock, (long_ago, long_ago))
    assert forget(tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", ["", "nonsense", "a.b.c", "elsewhere.{pid}.0a1b"])
def test_a_lock_that_says_nothing_of_this_machine(
    tmp_path: pathlib.Path, dead: int, content: str
) -> None:
    lock = leave_lock(tmp_path, content.format(pid=dead))
    assert not forget(tmp_path)
    assert lock.exists()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The lock that saves work, and how it is done without."""

from __future__ import annotations

import errno
import logging
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

import filelock
import pytest

from hubmodule.cache import locks
from hubmodule.cache.locks import hold_lock


def test_the_lock_is_held(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lock")
    with hold_lock(path, 0, "m") as held:
        assert held
        other = filelock.FileLock(path, thread_local=False)
        taken = []
        thread = threading.Thread(target=lambda: taken.append(_try(other)))
        thread.start()
        thread.join()
    assert taken == [False]


def _try(lock: filelock.BaseFileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return False
    lock.release()
    return True


def test_whoever_may_write_to_the_folder_may_open_the_lock(tmp_path: pathlib.Path) -> None:
    tmp_path.chmod(0o770)
    mask = os.umask(0o077)
    try:
        with hold_lock(str(tmp_path / "lock"), 0, "m"):
            assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o660
    finally:
        os.umask(mask)


@pytest.mark.parametrize("mode", [0o555, 0o550, 0o500])
def test_a_read_only_folder_is_no_error(tmp_path: pathlib.Path, mode: int) -> None:
    # Whether the lock is made there depends on the user: root may write everywhere.
    tmp_path.chmod(mode)
    try:
        with hold_lock(str(tmp_path / "lock"), 0, "m") as held:
            assert held == (tmp_path / "lock").exists()
    finally:
        tmp_path.chmod(0o700)


def test_the_lock_is_free_afterwards(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lock")
    with pytest.raises(KeyError), hold_lock(path, 0, "m"):
        raise KeyError
    with hold_lock(path, 0, "m") as held:
        assert held


class Busy:
    """A lock that another process holds for some tries."""

    tries: list[float]

    def __init__(self, path: str, mode: int):
        pass

    def acquire(self, timeout: float) -> None:
        self.tries.append(timeout)
        if len(self.tries) <= self.busy:
            raise filelock.Timeout("lock")

    def release(self) -> None:
        self.tries.append(-1.0)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> type[Busy]:
    Busy.tries = []
    monkeypatch.setattr(filelock, "FileLock", Busy)
    return Busy


def test_waits_for_another_process_and_says_so(
    busy: type[Busy], caplog: pytest.LogCaptureFixture
) -> None:
    busy.busy = 1
    caplog.set_level(logging.INFO, "hubmodule")
    with hold_lock("./lock", 60, "https://h/m") as held:
        assert held
    assert busy.tries == [0, 60, -1.0]
    assert caplog.messages == ["Another process fetches https://h/m; waiting for it."]


def test_goes_on_after_waiting_for_long(busy: type[Busy], caplog: pytest.LogCaptureFixture) -> None:
    busy.busy = 2
    with hold_lock("./lock", 60, "https://h/m") as held:
        assert not held
    assert busy.tries == [0, 60]
    assert caplog.messages == [
        "Another process has been fetching https://h/m for 60 seconds; fetching it as well."
    ]


def test_does_not_wait_if_it_is_told_not_to(
    busy: type[Busy], caplog: pytest.LogCaptureFixture
) -> None:
    busy.busy = 1
    with hold_lock("./lock", 0, "m") as held:
        assert not held
    assert (busy.tries, caplog.messages) == ([0], [])


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOLCK, "No locks"), PermissionError(), NotImplementedError()]
)
def test_goes_on_where_there_are_no_locks(
    busy: type[Busy], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(self: Busy, timeout: float) -> None:
        raise error

    monkeypatch.setattr(Busy, "acquire", fail)
    with hold_lock("./lock", 60, "m") as held:
        assert not held


def test_goes_on_where_the_lock_cannot_be_made(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    with hold_lock(os.path.join(tmp_path, "file", "lock"), 60, "m") as held:
        assert not held


@pytest.fixture
def marked(tmp_path: pathlib.Path) -> str:
    (tmp_path / "file").touch()
    return str(tmp_path / "file")


def claimed(path: str) -> bool | None:
    with locks.claim(path) as answer:
        return answer


def test_what_is_marked_cannot_be_claimed(marked: str) -> None:
    assert claimed(marked) is True
    marks = [locks.mark(marked), locks.mark(marked)]
    for mark in marks:
        assert claimed(marked) is False
        os.close(mark)
    assert claimed(marked) is True


def test_directories_can_be_marked(tmp_path: pathlib.Path) -> None:
    mark = locks.mark(str(tmp_path))
    assert claimed(str(tmp_path)) is False
    os.close(mark)


def test_what_is_missing_is_neither_marked_nor_claimed(tmp_path: pathlib.Path) -> None:
    assert locks.mark(f"{tmp_path}/missing") is None
    assert claimed(f"{tmp_path}/missing") is None


@pytest.mark.parametrize("broken", [OSError(errno.ENOLCK, "No locks available"), None])
def test_marks_where_there_are_no_locks(
    marked: str, monkeypatch: pytest.MonkeyPatch, broken: OSError | None
) -> None:
    def fail(file: int, operation: int) -> None:
        raise broken

    if broken is None:
        monkeypatch.setattr(locks, "fcntl", None)  # as on Windows
    else:
        monkeypatch.setattr("fcntl.flock", fail)
    assert locks.mark(marked) is None
    assert claimed(marked) is None


def leave_foreign_lock(cache: pathlib.Path, content: str) -> pathlib.Path:
    (cache / "key.0a1b.tmp").mkdir()
    (cache / "key.lock").write_text(content)
    return cache / "key.lock"


def find_dead(cache: pathlib.Path) -> list[str]:
    return [os.path.basename(path) for path in locks.find_dead_foreign(f"{cache}/key.")]


@pytest.fixture
def dead() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_no_foreign_lock(tmp_path: pathlib.Path) -> None:
    assert find_dead(tmp_path) == []


def test_the_foreign_lock_of_an_ended_process(tmp_path: pathlib.Path, dead: int) -> None:
    leave_foreign_lock(tmp_path, f"{socket.gethostname()}.{dead}.0a1b")
    assert find_dead(tmp_path) == ["key.0a1b.tmp", "key.lock"]


def test_the_foreign_lock_of_a_process_that_nobody_waited_for(tmp_path: pathlib.Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as zombie:
        zombie.stdout.read()
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        leave_foreign_lock(tmp_path, f"{socket.gethostname()}.{zombie.pid}.0a1b")
        assert find_dead(tmp_path) == ["key.0a1b.tmp", "key.lock"]


@pytest.mark.parametrize("pid", [1, os.getpid()], ids=["init", "this process"])
def test_the_foreign_lock_of_a_running_process(tmp_path: pathlib.Path, pid: int) -> None:
    leave_foreign_lock(tmp_path, f"{socket.gethostname()}.{pid}.0a1b")
    assert find_dead(tmp_path) == []


def test_a_foreign_lock_older_than_the_process_with_its_number(tmp_path: pathlib.Path) -> None:
    lock = leave_foreign_lock(tmp_path, f"{socket.gethostname()}.{os.getpid()}.0a1b")
    long_ago = time.time() - 365 * 24 * 3600
    os.utime(lock, (long_ago, long_ago))
    assert find_dead(tmp_path) == ["key.0a1b.tmp", "key.lock"]


@pytest.mark.parametrize("content", ["", "nonsense", "a.b.c", "elsewhere.{pid}.0a1b"])
def test_a_foreign_lock_that_says_nothing_of_this_machine(
    tmp_path: pathlib.Path, dead: int, content: str
) -> None:
    leave_foreign_lock(tmp_path, content.format(pid=dead))
    assert find_dead(tmp_path) == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

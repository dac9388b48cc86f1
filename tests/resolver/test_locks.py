"""The lock that saves work, and how it is done without."""

from __future__ import annotations

import errno
import logging
import os
import pathlib
import sys
import threading

import filelock
import pytest

from hubmodule.resolver.locks import hold_lock


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


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Marks of processes that use modules."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

from hubmodule.resolver import owners
from hubmodule.resolver.uses import Uses

KEY = "ab" * 20


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "uses"


def leave_mark(folder: pathlib.Path, owner: owners.Owner, age: float = 0.0) -> pathlib.Path:
    (folder / KEY).mkdir(parents=True, exist_ok=True)
    path = folder / KEY / owner.token
    path.touch()
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def elsewhere() -> owners.Owner:
    return owners.Owner("elsewhere", 1, 1)


def ended() -> owners.Owner:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return owners.Owner(owners.this_process().place, child.pid, 1)


def test_nobody_uses_what_nobody_marked(folder: pathlib.Path) -> None:
    uses = Uses(str(folder))
    assert (uses.is_used(KEY), uses.marked()) == (False, [])


def test_this_process_uses_what_it_marked(folder: pathlib.Path) -> None:
    uses = Uses(str(folder))
    assert uses.mark(KEY)
    assert uses.is_used(KEY)
    assert not uses.is_used("cd" * 20)
    assert uses.marked() == [KEY]


def test_one_mark_is_enough(folder: pathlib.Path) -> None:
    assert Uses(str(folder)).mark(KEY)
    assert not Uses(str(folder)).mark(KEY)
    assert os.listdir(folder / KEY) == [owners.this_process().token]


def test_a_mark_is_left_again_where_it_was_removed(folder: pathlib.Path) -> None:
    uses = Uses(str(folder))
    uses.mark(KEY)
    shutil.rmtree(folder)
    assert not uses.mark(KEY)
    assert uses.mark(KEY, again=True)
    assert uses.is_used(KEY)


def test_a_forked_process_needs_its_own(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Uses(str(folder)).mark(KEY)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert Uses(str(folder)).mark(KEY)
    assert len(os.listdir(folder / KEY)) == 2


def test_an_ended_process_uses_nothing(folder: pathlib.Path) -> None:
    leave_mark(folder, ended())
    assert not Uses(str(folder)).is_used(KEY)


def test_another_machine_may_use_it_for_a_week(folder: pathlib.Path) -> None:
    uses = Uses(str(folder))
    leave_mark(folder, elsewhere(), age=6 * 24 * 3600)
    assert uses.is_used(KEY)
    leave_mark(folder, elsewhere(), age=8 * 24 * 3600)
    assert not uses.is_used(KEY)


def test_what_is_no_mark_counts_for_a_week(folder: pathlib.Path) -> None:
    (folder / KEY).mkdir(parents=True)
    (folder / KEY / "something").touch()
    assert Uses(str(folder)).is_used(KEY)


def test_marking_sweeps_what_ended_processes_left(folder: pathlib.Path) -> None:
    dead, living = leave_mark(folder, ended()), leave_mark(folder, elsewhere())
    Uses(str(folder)).mark(KEY)
    assert (dead.exists(), living.exists()) == (False, True)


def test_forgetting_keeps_what_counts(folder: pathlib.Path) -> None:
    uses = Uses(str(folder))
    dead, living = leave_mark(folder, ended()), leave_mark(folder, elsewhere())
    uses.forget(KEY)
    assert (dead.exists(), living.exists()) == (False, True)
    living.unlink()
    uses.forget(KEY)
    assert uses.marked() == []


def test_a_mark_that_vanishes_does_not_count(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_mark(folder, elsewhere()).unlink()
    monkeypatch.setattr(os, "listdir", lambda path: [elsewhere().token])
    assert not Uses(str(folder)).is_used(KEY)


def test_where_no_mark_can_be_left(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    uses = Uses(str(tmp_path / "file" / "uses"))
    assert uses.mark(KEY)
    assert not uses.mark(KEY)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

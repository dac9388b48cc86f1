"""Which processes live."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubmodule.resolver import owners
from hubmodule.resolver.owners import Owner


def test_this_process_lives() -> None:
    assert owners.is_gone(owners.this_process()) is False
    assert owners.this_process().pid == os.getpid()


def test_an_ended_process_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = Owner(owners.this_process().place, child.pid, owners.start_time(child.pid))
    alive = owners.is_gone(owner)
    child.communicate(b"\n")
    assert (alive, owners.is_gone(owner)) == (False, True)


def test_a_killed_process_is_gone_before_its_parent_looks() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        owner = Owner(owners.this_process().place, child.pid, owners.start_time(child.pid))
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert owners.is_gone(owner) is True


def test_a_later_process_with_the_same_number_is_another() -> None:
    owner = owners.this_process()
    assert owners.is_gone(Owner(owner.place, owner.pid, owner.started - 1)) is True
    assert owners.is_gone(owner, start_time_of=lambda pid: owner.started + 1) is True


def test_nobody_can_see_processes_of_another_place() -> None:
    owner = owners.this_process()
    assert owners.is_gone(Owner("elsewhere", owner.pid, owner.started)) is None


def test_the_start_is_a_time() -> None:
    started = owners.start_time(os.getpid())
    assert started is not None
    assert 0 <= time.time() - owners.since_1970(started) < 24 * 3600


@given(st.builds(Owner, st.text("0123456789abcdef", min_size=1), st.integers(0), st.integers(0)))
def test_a_token_stands_for_its_owner(owner: Owner) -> None:
    assert owners.parse(owner.token) == owner


@pytest.mark.parametrize("token", ["", "a", "a-1", "a-1-", "-1-2", "a-b-1", "a-1-b", "a-1-2-3"])
def test_what_is_no_token(token: str) -> None:
    assert owners.parse(token) is None


def test_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object) -> None:
        raise FileNotFoundError

    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    monkeypatch.setattr("builtins.open", missing)
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    assert owners.start_time(os.getpid()) == 0
    assert owners.start_time(dead.pid) is None


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

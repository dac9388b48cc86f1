"""Pauses between tries."""

from __future__ import annotations

import logging
import sys

import pytest

from hubmodule.downloads.retries import Retries, Transient


def failure(wait: float | None = None) -> Transient:
    return Transient(OSError("it failed"), wait)


def test_pauses_grow_up_to_a_limit() -> None:
    pauses: list[float] = []
    retries = Retries(9, pauses.append, get_random=lambda: 1.0)
    for _ in range(9):
        retries.wait_or_raise(failure())
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_chance_shortens_a_pause_by_half_at_most() -> None:
    pauses: list[float] = []
    Retries(1, pauses.append, get_random=lambda: 0.0).wait_or_raise(failure())
    assert pauses == [0.25]


def test_too_many_failures_raise_the_last() -> None:
    retries = Retries(1, lambda pause: None)
    retries.wait_or_raise(failure())
    with pytest.raises(OSError, match="it failed"):
        retries.wait_or_raise(failure())


def test_a_success_begins_anew() -> None:
    pauses: list[float] = []
    retries = Retries(1, pauses.append, get_random=lambda: 1.0)
    retries.wait_or_raise(failure())
    retries.reset()
    retries.wait_or_raise(failure())
    assert pauses == [0.5, 0.5]


def test_the_server_says_how_long() -> None:
    pauses: list[float] = []
    Retries(1, pauses.append).wait_or_raise(failure(120.0))
    assert pauses == [120.0]


def test_the_longest_pauses_are_finite() -> None:
    pauses: list[float] = []
    retries = Retries(2000, pauses.append, get_random=lambda: 1.0)
    for _ in range(2000):
        retries.wait_or_raise(failure())
    assert pauses[-1] == 30


def test_some_failures_are_worth_fewer_tries() -> None:
    pauses: list[float] = []
    retries = Retries(5, pauses.append, get_random=lambda: 1.0)
    retries.wait_or_raise(Transient(OSError("no such host"), most_retries=1))
    with pytest.raises(OSError, match="no such host"):
        retries.wait_or_raise(Transient(OSError("no such host"), most_retries=1))
    assert pauses == [0.5]


def test_a_repeat_is_said_in_short(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hubmodule")
    retries = Retries(9, lambda pause: None, get_random=lambda: 1.0)
    for text in ("it failed.", "it failed.", "it broke.", "it failed."):
        retries.wait_or_raise(Transient(OSError(text)))
    assert caplog.messages == [
        "it failed. Trying again in 0.5 seconds.",
        "The same again. Trying again in 1.0 seconds.",
        "it broke. Trying again in 2.0 seconds.",
        "it failed. Trying again in 4.0 seconds.",
    ]


@pytest.mark.parametrize(("wait", "level"), [(4.9, "INFO"), (5.0, "WARNING")])
def test_says_why_it_stands_still(
    wait: float, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hubmodule")
    Retries(1, lambda pause: None).wait_or_raise(failure(wait))
    [record] = caplog.records
    assert record.getMessage() == f"it failed Trying again in {wait} seconds."
    assert record.levelname == level


def test_two_minutes_is_the_longest_wait() -> None:
    with pytest.raises(OSError, match="it failed"):
        Retries(9, lambda pause: None).wait_or_raise(failure(120.5))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

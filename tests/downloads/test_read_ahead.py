"""Reading ahead in a thread."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from hubmodule.downloads.read_ahead import read_ahead


def living_threads() -> list[threading.Thread]:
    """The threads of reads that have not ended, though they had the time."""
    threads = [thread for thread in threading.enumerate() if thread.name == "hubmodule-read-ahead"]
    for thread in threads:
        thread.join(10)
    return [thread for thread in threads if thread.is_alive()]


def test_gives_all_items_in_order() -> None:
    pieces = [b"%d" % number for number in range(1000)]
    with read_ahead(pieces, depth=3) as ahead:
        assert list(ahead) == pieces


def test_works_ahead_of_the_reader() -> None:
    made = threading.Event()

    def items() -> Iterator[bytes]:
        yield b"1"
        yield b"2"
        made.set()
        yield b"3"

    with read_ahead(items(), depth=4) as ahead:
        assert next(ahead) == b"1"
        assert made.wait(10)


def test_does_not_work_far_ahead() -> None:
    made: list[int] = []
    gate = threading.Event()

    def items() -> Iterator[bytes]:
        for number in range(100):
            made.append(number)
            if number == 5:
                gate.set()
            yield b"%d" % number

    with read_ahead(items(), depth=3) as ahead:
        assert next(ahead) == b"0"
        # Taken: 0. Held: 1, 2, 3. Waiting to be held: 4.
        assert next(ahead) == b"1"
        assert gate.wait(10)
        assert len(made) == 6


def test_an_error_reaches_the_reader_after_the_items_before_it() -> None:
    def items() -> Iterator[bytes]:
        yield b"1"
        raise ValueError("no more")

    got = []
    with read_ahead(items(), depth=3) as ahead, pytest.raises(ValueError, match="no more"):
        for item in ahead:
            got.append(item)
    assert got == [b"1"]


def test_the_thread_ends_with_its_reader() -> None:
    aborted = threading.Event()

    def items() -> Iterator[bytes]:
        yield b"1"
        aborted.wait(10)

    ahead = read_ahead(items(), depth=1, abort=aborted.set)
    with ahead as numbers:
        next(numbers)
    assert aborted.is_set()
    assert living_threads() == []


def test_a_stage_that_waits_for_another_ends_with_it() -> None:
    blocked = threading.Event()

    def items() -> Iterator[bytes]:
        yield b"1"
        blocked.wait(10)

    outer = read_ahead(items(), depth=2)
    with outer as numbers:
        inner = read_ahead(numbers, depth=2)
        with inner as again:
            assert next(again) == b"1"
    blocked.set()
    assert living_threads() == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

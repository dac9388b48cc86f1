"""Items that are made ahead: in order, by one thread, and no more of them than that."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from examples.text_embeddings.prefetch import prefetch


def test_yields_the_items():
    assert list(prefetch(iter("abc"))) == ["a", "b", "c"]


def test_of_nothing_yields_nothing():
    assert list(prefetch(iter([]))) == []


def test_the_next_item_is_made_while_one_is_used():
    made = threading.Event()

    def items() -> Iterator[str]:
        yield "a"
        made.set()
        yield "b"

    taken = prefetch(items())
    assert next(taken) == "a"
    assert made.wait(60)


def test_is_one_item_ahead_and_no_more():
    made = []
    taken = prefetch(made.append(i) or str(i) for i in range(9))
    assert next(taken) == "0"
    taken.close()  # waits for what is being made
    assert made == [0, 1]


def test_an_error_comes_after_the_items_before_it():
    def items() -> Iterator[str]:
        yield "a"
        raise ValueError("b is wrong")

    taken = prefetch(items())
    assert next(taken) == "a"
    with pytest.raises(ValueError, match="b is wrong"):
        next(taken)


def test_leaves_no_thread():
    before = threading.active_count()
    taken = prefetch(iter("abc"))
    next(taken)
    taken.close()
    assert threading.active_count() == before


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

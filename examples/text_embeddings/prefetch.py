"""Computes the next item of an iterator while the program uses the one before."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetch(items: Iterator[T]) -> Iterator[T]:
    """Yields the items of an iterator, which computes the next one in a thread of its own.

    Args:
        items: The iterator. It must not yield None, and the caller must not advance it.

    Raises:
        Exception: If `items` raises it, after the items before it.
    """
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item

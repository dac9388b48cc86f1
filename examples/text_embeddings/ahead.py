"""Makes the next item while the one before is used."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yields what an iterator does, which is one item ahead, in a thread of its own.

    Args:
        items: what is to be iterated, and by nobody else. It must not yield None.

    Raises:
        Exception: what `items` raises, after the items that came before.
    """
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item

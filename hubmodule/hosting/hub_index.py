"""Keeps the index of a hub in memory, and reads it again when it has changed."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

from hubmodule.hosting.hub_directory import HubDirectory

# How long an index is kept whose file does not tell when it changed: one that is missing, or on a
# remote store, where each look at it is a request.
_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class IndexState:
    """An index as it was read.

    Attributes:
        content: Content of index.json.
        number: A number that is another one for each index that was read.
    """

    content: dict[str, Any]
    number: int


class HubIndex:
    """The index of a hub. Several threads may use it.

    Args:
        hub: The hub.
        clock: Returns the time in seconds.
    """

    def __init__(self, hub: HubDirectory, clock: Callable[[], float] = time.monotonic) -> None:
        self._hub = hub
        self._clock = clock
        self._lock = threading.Lock()
        self._state: IndexState | None = None
        self._fingerprint = ""
        self._read_at = 0.0

    def read(self) -> IndexState:
        """Returns the index; reads it if it has changed."""
        with self._lock:
            # Before the content, so that a change between the two is seen the next time.
            fingerprint = self._hub.get_index_fingerprint()
            if self._state is None or self._is_outdated(fingerprint):
                number = self._state.number + 1 if self._state else 0
                self._state = IndexState(self._hub.read_index(), number)
                self._fingerprint, self._read_at = fingerprint, self._clock()
            return self._state

    def _is_outdated(self, fingerprint: str) -> bool:
        if fingerprint or self._fingerprint:
            return fingerprint != self._fingerprint
        return self._clock() - self._read_at >= _SECONDS

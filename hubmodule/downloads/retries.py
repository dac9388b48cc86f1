"""How often, and after which pause, a request is tried again."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable

logger = logging.getLogger("hubmodule")

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_LONG_PAUSE_SECONDS = 5.0
_MOST_DOUBLINGS = 10
_LONGEST_WAIT_SECONDS = 120.0


class Transient(Exception):
    """A failure that may pass by itself.

    Args:
        error: Exception to raise if it does not.
        retry_after: Seconds to wait before the next try; None if the server does not say.
        most_retries: Largest number of retries of this kind of failure; None means the usual
            number.
    """

    def __init__(
        self, error: Exception, retry_after: float | None = None, most_retries: int | None = None
    ):
        super().__init__(str(error))
        self.error = error
        self.retry_after = retry_after
        self.most_retries = most_retries


class Retries:
    """Counts failures in a row, and pauses after each, longer and longer.

    Resuming a download is a request of its own, so the retries of urllib3, which are within
    one request, and log its query, are off.

    Args:
        limit: Largest number of failures in a row after which to try again.
        sleep: Function that waits for a number of seconds.
        get_random: Function that returns a random number in [0, 1), which varies the pauses, so
            that many processes do not ask at once.
    """

    def __init__(
        self,
        limit: int,
        sleep: Callable[[float], None] = time.sleep,
        get_random: Callable[[], float] = random.random,
    ):
        self._limit = limit
        self._sleep = sleep
        self._get_random = get_random
        self._failures = 0
        self._last = ""

    def wait_or_raise(self, failure: Transient) -> None:
        """Pauses, or raises the failure's error if it is one too many or the wait is too long."""
        wait = failure.retry_after
        limit = self._limit if failure.most_retries is None else failure.most_retries
        if self._failures >= min(limit, self._limit) or (wait or 0) > _LONGEST_WAIT_SECONDS:
            raise failure.error from None
        if wait is None:
            doublings = min(self._failures, _MOST_DOUBLINGS)
            wait = min(_FIRST_PAUSE_SECONDS * 2**doublings, _LONGEST_PAUSE_SECONDS)
            wait *= 0.5 + self._get_random() / 2
        self._failures += 1
        text = str(failure.error)
        # A program that pauses without a message looks as if it hangs.
        level = logging.WARNING if wait >= _LONG_PAUSE_SECONDS else logging.INFO
        repeated = "The same again." if text == self._last else text
        logger.log(level, "%s Trying again in %.1f seconds.", repeated, wait)
        self._last = text
        self._sleep(wait)

    def reset(self) -> None:
        """Makes the next failure the first in a row."""
        self._failures = 0

"""How often and after how long something that failed is tried again."""

from __future__ import annotations

import datetime
import email.utils
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
        error: the error to raise if it does not.
        retry_after: how many seconds to wait before the next try; None if nothing says it.
        most_retries: how often at most this kind of failure is worth another try; None for
            as often as any.
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

    Args:
        limit: how many failures in a row to forgive.
        sleep: waits for some seconds.
        chance: a random number in [0, 1), which keeps many processes from asking at once.
    """

    def __init__(
        self,
        limit: int,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ):
        self._limit = limit
        self._sleep = sleep
        self._chance = chance
        self._failures = 0
        self._last = ""

    def forgive(self, failure: Transient) -> None:
        """Pauses; raises the failure's error if there were too many, or the wait is too long."""
        wait = failure.retry_after
        limit = self._limit if failure.most_retries is None else failure.most_retries
        if self._failures >= min(limit, self._limit) or (wait or 0) > _LONGEST_WAIT_SECONDS:
            raise failure.error from None
        if wait is None:
            doublings = min(self._failures, _MOST_DOUBLINGS)
            wait = min(_FIRST_PAUSE_SECONDS * 2**doublings, _LONGEST_PAUSE_SECONDS)
            wait *= 0.5 + self._chance() / 2
        self._failures += 1
        self._say(str(failure.error), wait)
        self._sleep(wait)

    def succeeded(self) -> None:
        """Something went well: the next failure is the first in a row."""
        self._failures = 0

    def _say(self, error: str, wait: float) -> None:
        # A program that stands still without a word is taken for one that hangs.
        level = logging.WARNING if wait >= _LONG_PAUSE_SECONDS else logging.INFO
        what = "The same again." if error == self._last else error
        self._last = error
        logger.log(level, "%s Trying again in %.1f seconds.", what, wait)


def retry_after(header: str | None, now: datetime.datetime) -> float | None:
    """The seconds that a Retry-After header asks for; None if it says nothing readable."""
    if header is None:
        return None
    if header.isascii() and header.strip().isdigit():
        return float(header)
    try:
        date = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=datetime.timezone.utc)
    return max((date - now).total_seconds(), 0.0)

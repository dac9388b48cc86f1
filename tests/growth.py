"""Counts what the package executes, for tests of how it grows."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import hubmodule

_PACKAGE = os.path.dirname(hubmodule.__file__)


def count_lines(call: Callable[[], object]) -> int:
    """Counts the lines of the package that a call executes, each as often as it is executed."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def count_calls(call: Callable[[], object]) -> int:
    """Counts the functions, of Python and of C, that a call calls in all packages."""
    count = 0

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(before)
    return count


def grows_linearly(make_call: Callable[[int], Callable[[], object]], size: int) -> bool:
    """Whether a call on twice the size executes about twice as many lines, not four times.

    Args:
        make_call: Prepares a call of a size; only the call is counted.
        size: The smaller of the two sizes.
    """
    make_call(size)()  # What is done once, in the first call of all, does not count.
    small, large = (count_lines(make_call(each)) for each in (size, 2 * size))
    return large < 2.5 * small

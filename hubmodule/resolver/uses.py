"""Which cached modules living processes use, so that nobody removes those.

A process that resolved a handle leaves a mark, <folder>/<key>/<process>, which counts
until the process ends. There is no lock in this: a process first leaves its mark and
then looks whether the module is being removed; one that removes first says so and then
looks for marks. One of the two sees the other, in whatever order they come.
"""

from __future__ import annotations

import contextlib
import os
import time

from hubmodule.resolver import owners, place

# A mark of another machine, whose processes cannot be seen from here, counts this long.
_FOREIGN_MARK_SECONDS = 7 * 24 * 3600
_MARKED: set[tuple[int, str, str]] = set()


class Uses:
    """The marks of a local cache.

    Args:
        folder: where they are; it is made when it is needed.
    """

    def __init__(self, folder: str):
        self._folder = folder

    def mark(self, key: str, again: bool = False) -> bool:
        """Marks a module as used by this process; False if it was already.

        Args:
            key: the module.
            again: leave the mark also if it was, for somebody may have removed it.
        """
        # A process that was forked has another number, and needs a mark of its own.
        mark = (os.getpid(), self._folder, key)
        if mark in _MARKED and not again:
            return False
        # A cache that this user may only read is pruned by somebody else, or not at all.
        with contextlib.suppress(OSError):
            self._sweep(key)
            place.make_alike(os.path.join(self._folder, key), self._folder)
            with open(os.path.join(self._folder, key, owners.this_process().token), "wb"):
                pass
        _MARKED.add(mark)
        return True

    def is_used(self, key: str) -> bool:
        """Whether a process that may still live uses a module."""
        return any(self._counts(key, token) for token in self._tokens(key))

    def marked(self) -> list[str]:
        """The modules that have marks."""
        try:
            return sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return []

    def forget(self, key: str) -> None:
        """Removes the marks that no longer count."""
        self._sweep(key)
        with contextlib.suppress(OSError):
            os.rmdir(os.path.join(self._folder, key))

    def _sweep(self, key: str) -> None:
        for token in self._tokens(key):
            if not self._counts(key, token):
                with contextlib.suppress(FileNotFoundError):
                    os.remove(os.path.join(self._folder, key, token))

    def _tokens(self, key: str) -> list[str]:
        try:
            return os.listdir(os.path.join(self._folder, key))
        except FileNotFoundError:
            return []

    def _counts(self, key: str, token: str) -> bool:
        owner = owners.parse(token)
        gone = owners.is_gone(owner) if owner else None
        if gone is not None:
            return not gone
        try:
            age = time.time() - os.stat(os.path.join(self._folder, key, token)).st_mtime
        except FileNotFoundError:
            return False
        return age < _FOREIGN_MARK_SECONDS

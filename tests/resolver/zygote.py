"""A process that forks children which resolve handles and are killed at a chosen moment.

Every operation on files makes Python raise an audit event. A child counts those that
change or read the cache, and kills itself with SIGKILL just before the one whose number
it was given. So each moment at which a process can die and leave another state behind
is tried, without any timing.

    {"job": "resolve", "handle": …, "cache": …, "die_before": 7}   ->
    {"died": true} or {"path": …, "log": […], "events": 31} or {"error": …, "log": […]}
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import signal
import sys
import time
from typing import Any

_EVENTS = {
    "fcntl.flock",
    "os.link",
    "os.listdir",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.scandir",
    "os.utime",
    "shutil.rmtree",
}


class _Fate:
    """Counts what is done to the cache, and ends the process."""

    def __init__(self, cache: str, die_before: int):
        self._cache = cache
        self._die_before = die_before
        self.events = 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        opened = event == "open" and str(arguments[0]).startswith(self._cache)
        if not opened and event not in _EVENTS:
            return
        self.events += 1
        if self.events == self._die_before:
            os.kill(os.getpid(), signal.SIGKILL)


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname}: {record.getMessage()}")


def _refuse_to_sleep(seconds: float) -> None:
    raise AssertionError(f"it waits {seconds} s for something")


def _break_locks() -> None:
    def broken(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    fcntl.flock = broken


def _run(order: dict[str, Any]) -> dict[str, Any]:
    from hubmodule import settings
    from hubmodule.cache import maintenance
    from hubmodule.cache.cache import Cache
    from hubmodule.locking.bundle import install_bundle
    from hubmodule.resolver.refresh import refresh
    from hubmodule.resolver.resolvers import resolve

    os.environ["TFHUB_CACHE_DIR"] = order["cache"]
    os.environ["HUBMODULE_MIRRORS"] = order.get("mirrors", "")
    if not order.get("may_wait"):
        time.sleep = _refuse_to_sleep
    log = _Log()
    logger = logging.getLogger("hubmodule")
    logger.addHandler(log)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    fate = _Fate(order["cache"], order.get("die_before", 0))
    if order.get("no_locks"):
        _break_locks()
    sys.addaudithook(fate)
    try:
        if order["job"] == "resolve":
            result: dict[str, Any] = {"path": resolve(order["handle"])}
        elif order["job"] == "refresh":
            result = {"change": refresh(order["handle"], settings.read()).change.value}
        elif order["job"] == "unbundle":
            result = {"installed": install_bundle(order["bundle"], settings.read())}
        else:
            pruned = maintenance.prune(Cache(settings.read().cache_dir), older_than=-1.0)
            result = {"removed": len(pruned.removed), "in_use": len(pruned.in_use)}
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    return {**result, "log": log.lines, "events": fate.events}


def _fork(order: dict[str, Any]) -> tuple[int, int]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as out:
            out.write(json.dumps(_run(order)))
        os._exit(0)
    os.close(writing)
    return child, reading


def _collect(child: int, reading: int) -> dict[str, Any]:
    with os.fdopen(reading) as source:
        text = source.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"died": True, "signal": os.WTERMSIG(status)}
    return json.loads(text)


def main() -> None:
    """Forks a child for each order on a line of standard input; several run at once."""
    # Imported once, so that a fork is cheap, and so that imports raise no events later.
    import encodings.idna  # noqa: F401
    import urllib.request  # noqa: F401

    import filelock  # noqa: F401
    import requests  # noqa: F401

    import hubmodule.locking.bundle
    import hubmodule.resolver.refresh  # noqa: F401

    for line in sys.stdin:
        children = []
        for order in json.loads(line):
            child, reading = _fork(order)
            children.append((child, reading))
            print(json.dumps({"pid": child}), flush=True)
        print(json.dumps([_collect(*child) for child in children]), flush=True)


if __name__ == "__main__":
    main()

"""Runs the uses of a damaged module, each case in a process and group of its own.

The process is a fork of this one, which has imported TensorFlow but run nothing, so a case
costs no import; a crash or hang within TensorFlow ends only the fork.
"""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import os
import resource
import select
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hubmodule.errors import HubModuleError
from tests.damage.mutations import copy, damaged_copy
from tests.damage.uses import USES, RunError

FINE, REFUSED, RUN, SAME = "fine", "refused", "run error", "as whole"
RAW, CRASH, HANG = "raw error", "crash", "hang"
OUTCOMES = (FINE, REFUSED, RUN, SAME, RAW, CRASH, HANG)
MEMORY_BYTES = 6 << 30


@dataclass(frozen=True)
class Result:
    """How one use of a damaged module ended.

    Attributes:
        use: its name in USES.
        outcome: one of OUTCOMES.
        text: the error, or what the process wrote last.
        seconds: how long it took.
    """

    use: str
    outcome: str
    text: str
    seconds: float


def run_case(module: Path, seed: int, limit: float = 60.0) -> tuple[str, list[Result]]:
    """Damages a copy of a module, and uses it in each way.

    Returns:
        What was done to the module, and a result for each of USES. A use that the whole module
        is no good for either, for the same reason, has the outcome SAME.
    """
    with tempfile.TemporaryDirectory(prefix="damage-") as folder:
        directory = Path(folder, "module")
        what = damaged_copy(module, directory, seed)
        results = _results(directory, limit)
    if all(result.outcome != RAW for result in results):
        return what, results
    return what, [
        _compared(damaged, undamaged)
        for damaged, undamaged in zip(results, _whole_module(module), strict=True)
    ]


def _compared(damaged: Result, undamaged: Result) -> Result:
    same = damaged.outcome == RAW and _error(damaged) == _error(undamaged)
    return replace(damaged, outcome=SAME) if same else damaged


def _error(result: Result) -> tuple[str, str]:
    """What tells an error from others; the place of it may be a file with a random name."""
    text = result.text.partition(" ")[2][:60] if result.outcome == RAW else result.text
    return result.outcome, text


@functools.cache
def _whole_module(module: Path) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="damage-") as folder:
        directory = Path(folder, "module")
        copy(module, directory)
        return _results(directory, limit=60.0)


def _results(directory: Path, limit: float) -> list[Result]:
    results: list[Result] = []
    while len(results) < len(USES):  # a fork that crashed left uses untried
        results.extend(_run_uses(list(USES)[len(results) :], directory, limit))
    return results


def _run_uses(uses: Sequence[str], directory: Path, limit: float) -> list[Result]:
    """The results of uses in one fork, the last that of one that ended the fork, if one did."""
    log = directory.parent / "log"
    results = []
    start = time.monotonic()
    with _forked(uses, directory, log) as (process, lines):
        while len(results) < len(uses):
            line = _next_line(lines, limit)
            seconds, start = time.monotonic() - start, time.monotonic()
            if line:
                outcome, _, text = line.partition(" | ")
                results.append(Result(uses[len(results)], outcome, text, seconds))
                continue
            outcome = HANG if line is None else CRASH
            if line is None:
                os.killpg(process, signal.SIGKILL)
            tail = log.read_text(errors="replace")[:4000]
            results.append(Result(uses[len(results)], outcome, tail, seconds))
            break
    return results


@contextlib.contextmanager
def _forked(uses: Sequence[str], directory: Path, log: Path) -> Iterator[tuple[int, int]]:
    """A fork that writes a line to a pipe after each use: its process, and the pipe's end."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        try:
            _child(uses, directory, log, writing)
        finally:
            os._exit(0)
    os.close(writing)
    try:
        yield process, reading
    finally:
        os.close(reading)
        os.waitpid(process, 0)


def _child(uses: Sequence[str], directory: Path, log: Path, pipe: int) -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES,) * 2)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    faulthandler.enable()  # says in the log where a crash was
    for use in uses:
        line = _outcome(use, str(directory)).encode(errors="replace")
        os.write(pipe, line.replace(b"\n", b" ")[:3000] + b"\n")


def _outcome(use: str, directory: str) -> str:
    try:
        USES[use](directory)
    except HubModuleError as error:
        return f"{REFUSED} | {type(error).__name__}: {error}"
    except RunError as error:
        return f"{RUN} | {error}"
    except Exception as error:
        return f"{RAW} | {_place(error)} {type(error).__name__}: {str(error)[:300]}"
    return FINE


def _place(error: Exception) -> str:
    """The line of the package, or of a use, that an error came through last."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/hubmodule/" in f.filename or "/damage/" in f.filename]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "elsewhere"


def _next_line(pipe: int, limit: float) -> str | None:
    """The next line; "" if the other end is closed, None if none comes in time."""
    line = b""
    deadline = time.monotonic() + limit
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        piece = os.read(pipe, 1)
        if not piece:
            return ""
        line += piece
    return line.decode(errors="replace").rstrip("\n")

"""Checks that hubmodule and tensorflow_hub share flags and a cache.

    python -m scripts.interop_cache [--python 'hub 0.12=PATH']

Both run as installed, against a server on loopback; `make interop` makes the environments
first. Exits with status 1 if a check fails.
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hubmodule.handles import make_cache_key
from scripts.interop import ROOT, Side, choose_sides
from tests.resolver import archives, servers

TIMEOUT = 60  # seconds; a process that waits for a lock takes longer

# tensorflow_hub makes only folders that the archive names.
BODY = gzip.compress(archives.tar(folders=("variables", "assets")))
RESOLVE = "import sys, {0} as hub; print(hub.resolve(sys.argv[1]))"
FLAGS = """
import sys
from absl import flags
for word in sys.argv[1:]:
    if word == "parse":
        flags.FLAGS(["p", "--tfhub_cache_dir=/said", "--tfhub_model_load_format=COMPRESSED"])
    else:
        __import__(word)
from hubmodule import settings
print(settings.read().cache_dir, settings.read().load_format.name, end=" ")
print(flags.FLAGS.tfhub_cache_dir)
"""
ORDERS = (
    ("hubmodule", "tensorflow_hub", "parse"),
    ("tensorflow_hub", "hubmodule", "parse"),
    ("hubmodule", "parse", "tensorflow_hub"),
    ("tensorflow_hub", "parse", "hubmodule"),
)

Check = Callable[[Side, Side, Path], None]


def start(side: Side, program: str, *arguments: str, cache: Path | None) -> subprocess.Popen[str]:
    """Starts a program of a side, which prints its result in its last line of output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name in ("TFHUB_CACHE_DIR", "TFHUB_MODEL_LOAD_FORMAT"):
        environment.pop(name, None)
    if cache is not None:
        environment["TFHUB_CACHE_DIR"] = str(cache)
    return subprocess.Popen(
        [str(side.python), "-c", program, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_result(process: subprocess.Popen[str]) -> str:
    """Waits for a program, and returns the last line of its output.

    Raises:
        AssertionError: If it failed, or took too long.
    """
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise AssertionError(f"it did not end within {TIMEOUT} seconds") from None
    if process.returncode:
        raise AssertionError(err.strip().splitlines()[-1])
    return out.strip().splitlines()[-1]


def start_resolving(side: Side, handle: str, cache: Path) -> subprocess.Popen[str]:
    """Starts to resolve a handle."""
    return start(side, RESOLVE.format(side.library), handle, cache=cache)


def expect(seen: object, wanted: object) -> None:
    """Raises AssertionError unless both are equal."""
    if seen != wanted:
        raise AssertionError(f"{seen!r} instead of {wanted!r}")


def read_content(folder: str) -> dict[str, bytes]:
    """Reads the files of a module."""
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def check_shared_cache(first: Side, second: Side, cache: Path) -> None:
    """Checks that two libraries share one download in one directory."""
    with servers.serving({"/m": servers.whole(BODY)}) as server:
        handle = f"{server.url}/m"
        paths = [wait_for_result(start_resolving(side, handle, cache)) for side in (first, second)]
        expect(paths, [str(cache / make_cache_key(handle))] * 2)
        expect(read_content(paths[0]), archives.MODULE)
        expect(len(server.requests), 1)


def check_simultaneous_downloads(first: Side, second: Side, cache: Path) -> None:
    """Checks that neither waits for the other's lock, and the slower one discards its copy."""
    gate = servers.Gate(BODY, 100)
    with servers.serving({"/m": [gate, servers.whole(BODY)]}) as server:
        handle = f"{server.url}/m"
        slower = start_resolving(first, handle, cache)
        gate.reached.wait(TIMEOUT)
        path = wait_for_result(start_resolving(second, handle, cache))
        gate.open.set()
        expect(wait_for_result(slower), path)
        expect(read_content(path), archives.MODULE)


def check_killed_download(first: Side, second: Side, cache: Path) -> None:
    """Checks that the second library does not wait for the dead one, and both use its copy."""
    gate = servers.Gate(BODY, 100)
    with servers.serving({"/m": [gate, servers.whole(BODY)]}) as server:
        handle = f"{server.url}/m"
        dying = start_resolving(first, handle, cache)
        gate.reached.wait(TIMEOUT)
        dying.kill()
        dying.communicate()
        gate.open.set()
        paths = [wait_for_result(start_resolving(side, handle, cache)) for side in (second, first)]
        expect(paths, [str(cache / make_cache_key(handle))] * 2)
        expect(read_content(paths[0]), archives.MODULE)
        expect(sorted(cache.glob("*.lock")) + sorted(cache.glob("*.tmp")), [])


def list_cache_checks(ours: Side, theirs: Side) -> Iterator[tuple[str, Check, Side, Side]]:
    """Lists the checks of the cache, with the side that goes first, and the second."""
    for first, second in ((ours, theirs), (theirs, ours)):
        yield "what one cached the other uses", check_shared_cache, first, second
        yield "one is killed", check_killed_download, first, second
    # tensorflow_hub waits for its own lock only, so it has to be the one that holds it.
    yield "both at once", check_simultaneous_downloads, theirs, ours


def check_flags(theirs: Side, order: Sequence[str]) -> None:
    """Checks that both libraries in one process read the flags of the command line."""
    seen = wait_for_result(start(theirs, FLAGS, *order, cache=None))
    expect(seen, "/said COMPRESSED /said")


def run_checks(sides: Sequence[Side]) -> Iterator[tuple[str, str]]:
    """Runs the checks; yields the name of each, with the reason if it failed, else ""."""
    ours = next(side for side in sides if side.is_ours)
    theirs = [side for side in sides if not side.is_ours]
    for side in theirs:
        for name, check, first, second in list_cache_checks(ours, side):
            with tempfile.TemporaryDirectory() as directory:
                reason = _run_check(check, first, second, Path(directory) / "cache")
            yield f"{name}: {first.name}, then {second.name}", reason
    # hubmodule runs on Python 3.10 and newer.
    for order in ORDERS:
        yield f"flags, {', '.join(order)}", _run_check(check_flags, theirs[0], order)


def _run_check(check: Callable[..., None], *arguments: object) -> str:
    try:
        check(*arguments)
    except AssertionError as error:
        return str(error)
    return ""


def main(arguments: Sequence[str]) -> int:
    """Runs the command line; returns 0 if no check failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH")
    failed = 0
    for name, reason in run_checks(choose_sides(parser.parse_args(arguments).python)):
        print(f"failed: {name}: {reason}" if reason else f"ok: {name}", flush=True)
        failed += bool(reason)
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs the test suite on each TensorFlow and Python, and writes the README's table: make matrix.

    python -m scripts.matrix [--only 2.18.1]

The suite runs in pieces: a folder of tests, or a file beside the folders. A piece that passed is
not run again until a tracked file changes, so the program can be stopped and started at any time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
_RESULTS = ROOT / ".cache" / "matrix"
_PYTHONS = ("3.10", "3.11", "3.12", "3.13")

# TensorFlow -> the Pythons to test it on.
PAIRS: Mapping[str, Sequence[str]] = {
    "2.15.1": ["3.11"],
    "2.16.2": ["3.12"],
    "2.17.1": ["3.11"],
    "2.18.1": ["3.12"],
    "2.19.1": ["3.10"],
    "2.20.0": ["3.10"],
    "2.21.0": ["3.11", "3.13"],
}
Run = Callable[[str, str, str], bool]
_TABLE = re.compile(r"^\| \| Python 3\.10 \|.*\n\|[-|]*\n(?:\|.*\n)*", re.MULTILINE)


def list_pieces(tests: Path) -> list[str]:
    """Lists the folders of tests, and the test files beside them, by their paths."""
    entries = [path for path in sorted(tests.iterdir()) if not path.name.startswith((".", "_"))]
    return [
        f"tests/{path.name}"
        for path in entries
        if path.name.startswith("test_") or (path.is_dir() and any(path.rglob("test_*.py")))
    ]


def run_pair(tensorflow: str, python: str, pieces: Sequence[str], state: str, run: Run) -> bool:
    """Runs the pieces that have not passed; returns whether all have.

    Args:
        tensorflow: The version of TensorFlow.
        python: The version of Python, e.g. "3.11".
        pieces: The paths of the pieces.
        state: A text that differs if the code does.
        run: Runs a piece on a TensorFlow and a Python; returns whether it passed.
    """
    file = _RESULTS / f"{tensorflow}-{python}.json"
    passed = _read_passed(file, state)
    for piece in pieces:
        if piece in passed:
            continue
        if run(tensorflow, python, piece):
            passed.append(piece)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"state": state, "passed": passed}), encoding="utf-8")
    return set(pieces) <= set(passed)


def _read_passed(file: Path, state: str) -> list[str]:
    if not file.is_file():
        return []
    stored = json.loads(file.read_text(encoding="utf-8"))
    return stored["passed"] if stored["state"] == state else []


def make_table(tested: Collection[tuple[str, str]]) -> str:
    """Makes the table of the README.

    Args:
        tested: The pairs of a TensorFlow and a Python on which the whole suite passed.
    """
    head = " | ".join([f"Python {_PYTHONS[0]}", *_PYTHONS[1:]])
    lines = [f"| | {head} |", f"|---{'|---' * len(_PYTHONS)}|"]
    for tensorflow in PAIRS:
        cells = [" tested " if (tensorflow, python) in tested else " " for python in _PYTHONS]
        lines.append(f"| TensorFlow {tensorflow} |{'|'.join(cells)}|")
    return "\n".join(lines) + "\n"


def _find_state() -> str:
    """Computes a digest of all tracked files, except the README, which the result changes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    digest = hashlib.sha256()
    for name in filter(None, listed.decode().split("\0")):
        if name != README.name and (ROOT / name).is_file():
            digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
    return digest.hexdigest()


def _run_piece(tensorflow: str, python: str, piece: str) -> bool:
    print(f"{tensorflow} on Python {python}: {piece}", flush=True)
    environment = f".cache/matrix/venv-{tensorflow}-{python}"
    command = ["make", "test", f"TF={tensorflow}", f"VENV={environment}", f"ARGS={piece}"]
    variables = {**os.environ, "PYTHON": f"python{python}"}
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode == 0


def main() -> int:
    """Runs the program, and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", metavar="TF", choices=PAIRS, help="one TensorFlow of the table")
    only = parser.parse_args().only
    pieces, state = list_pieces(ROOT / "tests"), _find_state()
    wanted = [(tf, python) for tf, pythons in PAIRS.items() for python in pythons]
    tested = {
        pair
        for pair in wanted
        if run_pair(*pair, pieces, state, _run_piece if only in (None, pair[0]) else _skip)
    }
    README.write_text(
        _TABLE.sub(lambda _: make_table(tested), README.read_text(encoding="utf-8")),
        encoding="utf-8",
    )
    for tensorflow, python in sorted(set(wanted) - tested):
        print(f"TensorFlow {tensorflow} on Python {python} has not passed.", file=sys.stderr)
    return 0 if tested == set(wanted) else 1


def _skip(tensorflow: str, python: str, piece: str) -> bool:
    return False


if __name__ == "__main__":
    sys.exit(main())

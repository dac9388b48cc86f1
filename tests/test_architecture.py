"""What import-linter, ruff and Bazel cannot hold: files are short and tested, and tests run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# Through the links that Bazel makes, to the checkout: mirrored tests are no data of this one.
ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hubmodule"

FILES = {
    path.relative_to(PACKAGE).as_posix(): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not path.name.endswith("_pb2.py")
}
# Files that are tested with others; the tests of _tf.py are in test_tf.py.
TESTS_ELSEWHERE = {
    "_plain_errors.py": "test_errors.py",
    "_version.py": "test_init.py",
}
MOST_LINES = 450
# A target of Bazel runs its test file as a program; without this it would pass and test nothing.
LAST_LINE = "    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))\n"


def find_tests(file: str) -> list[Path]:
    """Finds the test file that mirrors a file of the package, or those of a subpackage."""
    folder, _, name = file.rpartition("/")
    if folder and name == "__init__.py":
        return list((ROOT / "tests" / folder).glob("test_*.py"))
    mirror = TESTS_ELSEWHERE.get(file, f"test_{Path(name).stem.strip('_')}.py")
    path = ROOT / "tests" / folder / mirror
    return [path] if path.is_file() else []


def test_the_files_are_found():
    assert {"files.py", "surgery/prune.py", "module/__init__.py"} <= FILES.keys()


@pytest.mark.parametrize("file", FILES)
def test_is_not_long(file):
    assert len(FILES[file].read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("file", FILES)
def test_has_tests(file):
    assert find_tests(file)


def test_every_test_file_runs_as_a_program():
    files = list((ROOT / "tests").rglob("test_*.py"))
    assert Path(__file__).resolve() in files
    assert [file for file in files if not file.read_text("utf-8").endswith(LAST_LINE)] == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

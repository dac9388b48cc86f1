"""What import-linter and ruff cannot hold: the files are short, and each has its tests."""

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


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The matrix goes on where it stopped, and writes the table of the README."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts import matrix


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(matrix, "_RESULTS", tmp_path / "results")
    return tmp_path


def run(state: str, failing: str = "") -> tuple[bool, list[str]]:
    pieces: list[str] = []

    def run_piece(tensorflow: str, python: str, piece: str) -> bool:
        pieces.append(piece)
        return piece != failing

    return matrix.run_pair("2.18.1", "3.12", ["a", "b", "c"], state, run_piece), pieces


def test_what_passed_is_not_run_again(results: Path) -> None:
    assert run("1", failing="b") == (False, ["a", "b", "c"])
    assert run("1") == (True, ["b"])
    assert run("1") == (True, [])


def test_other_code_is_run_from_the_beginning(results: Path) -> None:
    run("1")
    assert run("2") == (True, ["a", "b", "c"])


def test_the_pieces_are_folders_and_files(tmp_path: Path) -> None:
    (tmp_path / "module").mkdir()
    for name in ("module/test_a.py", "test_b.py", "conftest.py", "__init__.py"):
        (tmp_path / name).touch()
    (tmp_path / "data").mkdir()
    assert matrix.list_pieces(tmp_path) == ["tests/module", "tests/test_b.py"]


def test_the_table_is_that_of_the_readme() -> None:
    table = matrix.make_table({("2.15.1", "3.11"), ("2.21.0", "3.13")})
    lines = table.splitlines()
    assert lines[2] == "| TensorFlow 2.15.1 | | tested | | |"
    assert lines[-1] == "| TensorFlow 2.21.0 | | | | tested |"
    (found,) = matrix._TABLE.findall(matrix.README.read_text(encoding="utf-8"))
    assert found.splitlines()[:2] == lines[:2]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

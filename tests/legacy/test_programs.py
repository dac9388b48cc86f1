"""Programs of TensorFlow 1, run as they are: they train as on TensorFlow 1.15."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.legacy.program_list import (
    PROGRAMS,
    PROGRAMS_DIRECTORY,
    Program,
    find_differences,
    make_modules,
    read_losses,
    read_variables,
    run_program,
)

HERE = Path(__file__).resolve().parent
RECORDED = json.loads((HERE / "recorded_losses.json").read_text())["programs"]
PYTHON = (sys.executable, "-m", "hubmodule", "run", "--tf1")


@pytest.fixture(scope="module")
def modules(tmp_path_factory) -> Path:
    pytest.importorskip("tf_slim")
    directory = tmp_path_factory.mktemp("made") / "modules"
    assert make_modules(PYTHON, directory), directory.with_suffix(".log").read_text()
    return directory


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_variables_and_losses_are_those_of_tensorflow_1_15(
    program: Program, modules: Path, tmp_path: Path
) -> None:
    assert run_program(PYTHON, program, modules, tmp_path, 10), (
        tmp_path / "output.log"
    ).read_text()
    recorded = RECORDED[program.name]
    assert read_variables(tmp_path) == recorded["variables"]
    assert find_differences(recorded["losses"], read_losses(program, tmp_path)) == []


def test_differences_of_losses() -> None:
    expected = {"a": [1.0, 100.0], "b": [0.5]}
    assert find_differences(expected, {"a": [1.000009, 100.0009], "b": [0.500009]}) == []
    assert find_differences(expected, {"a": [1.00002, 100.0], "b": [float("nan")]}) == [
        "a of step 1: 1.00002, not 1.0",
        "b of step 1: nan, not 0.5",
    ]
    assert find_differences(expected, {"a": [1.0], "b": [0.5]}) == ["a: 1 steps, not 2"]
    assert find_differences({"a": []}, {"a": []}) == ["a: 0 steps, not 0"]


def test_every_program_is_listed() -> None:
    listed = {PROGRAMS_DIRECTORY / program.path for program in PROGRAMS}
    modules = {"make_modules.py", "optimization.py", "tokenization.py"}
    assert listed == {path for path in PROGRAMS_DIRECTORY.rglob("*.py") if path.name not in modules}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

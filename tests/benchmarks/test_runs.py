"""Runs in processes: their order, their medians, and what becomes of failures."""

from __future__ import annotations

import argparse
import json
import sys

import pytest

from benchmarks.runs import Pythons, RunError, add_arguments, measure_case


class FakePythons(Pythons):
    """Answers with the seconds that are given for a library, or fails where there are none."""

    def __init__(self, **seconds: list[float | None]):
        super().__init__("ours", "peer")
        object.__setattr__(self, "seconds", seconds)
        object.__setattr__(self, "order", [])

    def run(self, library: str, module: str, *arguments: str) -> str:
        assert (module, arguments[:2]) == ("benchmarks.one_case", ("case", library))
        self.order.append(library)
        if (seconds := self.seconds[library].pop(0)) is None:
            raise RunError(f"{library}: no memory")
        return "a greeting\n" + json.dumps({"seconds": seconds})


def test_medians(tmp_path):
    pythons = FakePythons(hubmodule=[1, 7, 2], floor=[3, 4, 5])
    result = measure_case(pythons, "case", ["hubmodule", "floor"], tmp_path, 3)
    assert result.values == {"hubmodule": {"seconds": 2}, "floor": {"seconds": 4}}
    assert result.failures == {}


def test_a_case_that_takes_long_has_fewer_rounds(tmp_path):
    pythons = FakePythons(hubmodule=[1, 7, 2])
    clock = iter([0.0, 0.0, 25.0, 25.0, 50.0, 50.0]).__next__
    result = measure_case(pythons, "case", ["hubmodule"], tmp_path, 3, clock)
    assert result.values == {"hubmodule": {"seconds": 4}}
    assert pythons.order == ["hubmodule"] * 2


def test_each_round_begins_with_another(tmp_path):
    pythons = FakePythons(hubmodule=[1, 1], floor=[1, 1])
    measure_case(pythons, "case", ["hubmodule", "floor"], tmp_path, 2)
    assert pythons.order == ["hubmodule", "floor", "floor", "hubmodule"]


def test_what_failed_once_has_no_values_and_is_not_run_again(tmp_path):
    pythons = FakePythons(hubmodule=[1, 1, 1], floor=[1, None])
    result = measure_case(pythons, "case", ["hubmodule", "floor"], tmp_path, 3)
    assert result.values.keys() == {"hubmodule"}
    assert result.failures == {"floor": "floor: no memory"}


class TestPythons:
    def test_a_program_that_fails(self):
        pythons = Pythons(sys.executable, sys.executable)
        with pytest.raises(RunError, match=r"hubmodule: nothing_of_this_name ended with 1: .*No m"):
            pythons.run("hubmodule", "nothing_of_this_name")

    def test_an_interpreter_that_is_not_there(self, tmp_path):
        with pytest.raises(RunError, match=r"tensorflow_hub: .*no_python cannot be run"):
            Pythons(sys.executable, str(tmp_path / "no_python")).describe_versions()

    def test_each_library_has_its_own(self, tmp_path):
        pythons = Pythons(sys.executable, str(tmp_path / "no_python"))
        assert pythons.run("hubmodule", "this", "argument").startswith("The Zen of Python")


@pytest.mark.parametrize("rounds", ["0", "-1", "many"])
def test_rounds_that_mean_nothing(rounds, capsys):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--ours", "a", "--peer", "b", "--rounds", rounds])
    assert "--rounds" in capsys.readouterr().err


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

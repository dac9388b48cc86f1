"""The checks of programs of TensorFlow 1, with runs that only write their outcome."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts import interop_programs
from scripts.interop import Side
from scripts.interop_programs import compare
from tests.legacy.program_list import PROGRAMS, Program

HUB_012 = Side("hub 0.12", "tensorflow_hub", Path("peer115"))
OURS = Side("ours 2.21", "hubmodule", Path("new"))
PROGRAM = PROGRAMS[0]
(TAG,) = PROGRAM.losses


class _Runs:
    """Names directories by what was run, and does not run it."""

    def train(self, side: Side, program: Program) -> Path:
        return Path(side.name)

    def continue_training(self, writer: Side, reader: Side, program: Program) -> Path:
        return Path(f"{writer.name} then {reader.name}")


@pytest.fixture
def outcomes(
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, tuple[list[float], dict[str, list[int]]]]:
    """Directory -> losses and variables; a test changes it."""
    variables = {"w": [2, 3]}
    outcomes = {
        name: ([1.0, 2.0], dict(variables))
        for name in (
            "hub 0.12",
            "ours 2.21",
            "hub 0.12 then hub 0.12",
            "hub 0.12 then ours 2.21",
            "ours 2.21 then hub 0.12",
        )
    }
    monkeypatch.setattr(
        interop_programs, "read_losses", lambda program, out: {TAG: outcomes[str(out)][0]}
    )
    monkeypatch.setattr(interop_programs, "read_variables", lambda out: outcomes[str(out)][1])
    return outcomes


def lines() -> list[str]:
    return [str(check) for check in compare(_Runs(), [HUB_012, OURS], PROGRAM)]


def test_equal_programs(outcomes) -> None:
    assert lines() == [
        "ok      image retraining: variables of ours 2.21",
        "ok      image retraining: losses of ours 2.21",
        "ok      image retraining: ours 2.21 continues hub 0.12",
        "ok      image retraining: hub 0.12 continues ours 2.21",
    ]


def test_differences_have_their_reason(outcomes) -> None:
    outcomes["ours 2.21"] = ([1.0, 2.1], {"v": [2, 3]})
    outcomes["hub 0.12 then ours 2.21"] = ([1.0], {})
    assert lines() == [
        "failed  image retraining: variables of ours 2.21: different: v, w",
        f"failed  image retraining: losses of ours 2.21: {TAG} of step 2: 2.1, not 2.0; "
        "see ours 2.21/output.log",
        f"failed  image retraining: ours 2.21 continues hub 0.12: {TAG}: 1 steps, not 2; "
        "see hub 0.12 then ours 2.21/output.log",
        "ok      image retraining: hub 0.12 continues ours 2.21",
    ]


def test_a_program_without_a_checkpoint_has_failed(outcomes) -> None:
    outcomes["hub 0.12"] = ([], {})
    first, second, *_ = lines()
    assert first == "failed  image retraining: variables of ours 2.21: no checkpoint in hub 0.12"
    assert second.startswith(
        f"failed  image retraining: losses of ours 2.21: {TAG}: 2 steps, not 0"
    )


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

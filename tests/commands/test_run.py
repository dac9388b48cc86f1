"""hubmodule run: its arguments; tests/test_run.py runs programs."""

from __future__ import annotations

import sys

import pytest

from hubmodule.commands import run


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["s.py"], (True, ("s.py", False, []))),
        (["s.py", "-m", "--no-alias"], (True, ("s.py", False, ["-m", "--no-alias"]))),
        (["--no-alias", "s.py", "x"], (False, ("s.py", False, ["x"]))),
        (["-m", "a.b", "--no-alias"], (True, ("a.b", True, ["--no-alias"]))),
        (["--no-alias", "-ma.b", "-x"], (False, ("a.b", True, ["-x"]))),
    ],
)
def test_arguments(arguments, expected):
    assert run.parse(arguments) == expected


@pytest.mark.parametrize("arguments", [[], ["--no-alias"], ["--unknown", "s.py"], ["-m"]])
def test_arguments_that_name_no_program(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        run.parse(arguments)
    assert caught.value.code == 2
    assert "usage: hubmodule run" in capsys.readouterr().err


def test_help_says_what_it_does(capsys):
    with pytest.raises(SystemExit) as caught:
        run.parse(["--help"])
    assert caught.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.startswith("usage: hubmodule run [--no-alias] (SCRIPT | -m MODULE) [ARGS ...] Run")
    for promise in ["`import tensorflow_hub` gives hubmodule", "tf.estimator works", "Keras 2"]:
        assert promise in shown


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

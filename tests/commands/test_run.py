"""hubmodule run: its arguments; tests/test_run.py runs programs."""

from __future__ import annotations

import sys

import pytest

from hubmodule.commands import run
from hubmodule.run import Preparation


@pytest.mark.parametrize(
    ("arguments", "preparation", "program"),
    [
        (["s.py"], {}, ("s.py", False, [])),
        (["s.py", "-m", "--no-alias"], {}, ("s.py", False, ["-m", "--no-alias"])),
        (["--no-alias", "s.py", "x"], {"use_alias": False}, ("s.py", False, ["x"])),
        (["-", "-x"], {}, ("-", False, ["-x"])),
        (["--tf1", "-", "a"], {"use_tensorflow_1": True}, ("-", False, ["a"])),
        (["-m", "a.b", "--no-alias"], {}, ("a.b", True, ["--no-alias"])),
        (["--no-alias", "-ma.b", "-x"], {"use_alias": False}, ("a.b", True, ["-x"])),
        (["--tf1", "s.py", "--tf1"], {"use_tensorflow_1": True}, ("s.py", False, ["--tf1"])),
        (
            ["--tf1-package", "p", "--tf1-package=q", "s.py"],
            {"use_tensorflow_1": True, "packages": ("p", "q")},
            ("s.py", False, []),
        ),
    ],
)
def test_arguments(arguments, preparation, program):
    assert run.parse(arguments) == (Preparation(**preparation), program)


@pytest.mark.parametrize(
    "arguments", [[], ["--no-alias"], ["--unknown", "s.py"], ["-m"], ["--tf1-package", "s.py"]]
)
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
    assert shown.startswith("usage: hubmodule run [--no-alias] [--tf1] (SCRIPT | -m MODULE | -) ")
    for promise in ["`import tensorflow_hub` gives hubmodule", "tf.estimator works", "Keras 2"]:
        assert promise in shown


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

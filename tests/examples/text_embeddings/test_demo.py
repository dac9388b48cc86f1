"""The demonstration, run as its users run it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hubmodule as hub
from examples.text_embeddings import demo

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "examples/text_embeddings/demo.py"
README = ROOT / "README.md"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def result(directory):
    # From another directory: the program finds what it needs by itself.
    command = [sys.executable, str(PROGRAM), f"--output_dir={directory}"]
    return subprocess.run(command, capture_output=True, text=True, cwd="/")


def accuracy(result: subprocess.CompletedProcess[str], of: str) -> float:
    (percentage,) = re.findall(rf"^{of} +([\d.]+)%$", result.stdout, re.MULTILINE)
    return float(percentage)


def test_ends_well(result):
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_check_holds(result):
    checks = result.stdout.partition("Checks\n------\n")[2].splitlines()
    assert [line.split()[0] for line in checks] == ["ok"] * 6


def test_training_pays(result):
    assert accuracy(result, "majority class") == 50.3
    assert accuracy(result, "frozen module") > 70
    assert accuracy(result, "fine-tuned module") > 80


def test_the_readme_has_the_figures_that_are_printed(result):
    (section,) = re.findall(
        r"`make demo` publishes.*?\n\n", README.read_text(encoding="utf-8"), re.DOTALL
    )
    kinds = ["frozen module", "majority class", "fine-tuned module"]
    shown = [float(percentage) for percentage in re.findall(r"([\d.]+)%", section)]
    assert shown == [accuracy(result, kind) for kind in kinds]


def test_says_where_the_modules_are(result, directory):
    exports = re.escape(str(directory / "fine-tuned/export/tf_hub"))
    fine_tuned = re.search(rf"^{exports}/\d+/sentences$", result.stdout, re.MULTILINE)
    assert f"\n{directory / 'glove'}\n" in result.stdout
    for path in (str(directory / "glove"), fine_tuned[0]):
        assert list(hub.load_module_spec(path).get_input_info_dict()) == ["sentences"]


@pytest.fixture
def output_dirs(monkeypatch):
    """Replaces the demonstration; each call adds its directory to the list."""
    calls: list[str] = []

    def demonstrate(output_dir: str) -> int:
        assert Path(output_dir).is_dir()
        calls.append(output_dir)
        return 1

    monkeypatch.setattr(demo, "demonstrate", demonstrate)
    return calls


def test_without_an_output_dir_removes_what_it_made(output_dirs, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["demo.py"])
    assert demo.main() == 1
    (directory,) = output_dirs
    assert not Path(directory).exists()
    assert capsys.readouterr().out == (
        f"\n{directory} is removed; --output_dir=DIR keeps the modules.\n"
    )


def test_with_an_output_dir_keeps_it(output_dirs, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["demo.py", f"--output_dir={tmp_path}"])
    assert demo.main() == 1
    assert output_dirs == [str(tmp_path)]
    assert tmp_path.is_dir()
    assert capsys.readouterr().out == ""


def test_a_check_that_fails_is_told_and_gives_a_status(capsys):
    assert demo.report_checks({"water is wet": True, "pigs fly": False}) == 1
    assert capsys.readouterr().out == "ok      water is wet\nFAILED  pigs fly\n"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""What the page about the example shows runs, on the first words of GloVe."""

from __future__ import annotations

import gzip
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from absl import flags

from examples.text_embeddings.export import define_flags
from tests.processes import ROOT, run_code

EXAMPLE = ROOT / "examples" / "text_embeddings"
PAGE = (EXAMPLE / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A directory with the file that the page names; it is the current one."""
    with gzip.open(EXAMPLE / "data" / "glove.6B.50d.top10000.txt.gz") as file:
        tmp_path.joinpath("glove.6B.50d.txt").write_bytes(file.read())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(text: str, here: Path) -> str:
    """A text of the page, with its module in another place."""
    assert "/modules/glove" in text
    return text.replace("/modules/glove", str(here / "module"))


def test_python(here):
    assert len(BLOCKS) == 2
    run = run_code(shown("\n".join(BLOCKS), here))
    assert run.returncode == 0, run.stderr[-2000:]
    numbers = re.findall(r"-?\d+\.\d+(?:e-\d+)?", run.stdout)
    assert len(numbers) == 2 * 50


def test_the_command(here):
    (command,) = re.findall(r"    (python examples(?:.*\\\n)*.*)", PAGE)
    _, program, *arguments = shlex.split(shown(command, here).replace("\\\n", ""))
    run = subprocess.run(
        [sys.executable, str(ROOT / program), *arguments], capture_output=True, text=True
    )
    first, second = run.stdout.splitlines()
    assert (run.returncode, first) == (0, f"The module is in {here / 'module'}")
    assert second.startswith("10,001 rows of dimension 50, of which 10,000 are the vocabulary; ")


def test_every_flag_is_shown():
    values = flags.FlagValues()
    define_flags(values)
    assert sorted(re.findall(r"^\| `--(\w+)`", PAGE, re.MULTILINE)) == sorted(values)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The page about Beam and other engines runs when its blocks are pasted."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from tests.pages import make_program, read_page, run_in_checkout
from tests.skipping import skip_without

skip_without("apache_beam", __name__)

PAGE = read_page("beam.md")
SECTIONS = re.split(r"^(?=###? )", PAGE, flags=re.MULTILINE)
(RAY,) = [section for section in SECTIONS if section.startswith("### Ray Data")]


def test_everything_but_ray_runs_when_pasted(tmp_path: Path) -> None:
    pytest.importorskip("faiss", reason="faiss-cpu is not installed: make test-beam")
    output = run_in_checkout(tmp_path, make_program(PAGE.replace(RAY, "")))
    assert "3,000 rows in 1 files" in output
    assert "3,000 vectors are in the index" in output
    assert "a cat on a mat [" in output
    assert "1 [" in output
    assert "(2, 50) from tf.data\n(1, 50) from tf.data" in output


@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed: make test-beam"
)
def test_ray_runs_when_pasted(tmp_path: Path) -> None:
    first = SECTIONS[0] + "```python\nimport hubmodule as hub\n```\n"
    same = """```python
import numpy as np
with hub.eval_function_for_module("modules/glove") as f:
    rows.sort(key=lambda row: row["id"])
    expected = f([row["text"] for row in rows])
    print("equal:", np.stack([row["vector"] for row in rows]).tobytes() == expected.tobytes())
```
"""
    output = run_in_checkout(tmp_path, make_program(first + RAY + same))
    assert "2000 rows from Ray" in output
    assert "equal: True" in output


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

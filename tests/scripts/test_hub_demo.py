"""make hub-demo: publishes the modules of the example, and serves them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "made_by_tf215"
# Where the example leaves its modules, and modules that stand for them here.
MODULES = {
    "glove": "vocabulary",
    "frozen/export/tf_hub/1700000000/sentences": "vocabulary",
    "fine-tuned/export/tf_hub/1700000001/sentences": "sentences",
}


def test_publishes_and_serves(tmp_path: Path) -> None:
    for path, name in MODULES.items():
        shutil.copytree(GOLDEN / name, tmp_path / "modules" / path)
    command = [ROOT / "scripts" / "hub_demo.sh", sys.executable, tmp_path, "--port=0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            lines: list[str] = []
            for line in server.stdout:
                lines.append(line.strip())
                if line.startswith("Serving "):
                    break
            address = lines[-1].rpartition(" ")[2]
            with urllib.request.urlopen(f"{address}demo/sentences/2", timeout=60) as answer:
                page = answer.read().decode()
            with urllib.request.urlopen(
                f"{address}demo/sentences/2/accuracy.png", timeout=60
            ) as answer:
                picture = answer.read()
        finally:
            server.terminate()
    published = [line.split()[1] for line in lines if line.startswith("Published ")]
    assert published == ["demo/glove/1", "demo/sentences/1", "demo/sentences/2"]
    assert "Sentences of reviews" in page
    assert "Changes since" in page
    source = ROOT / "examples" / "text_embeddings" / "hub" / "accuracy.png"
    assert picture == source.read_bytes()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

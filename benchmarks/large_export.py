"""Publishes a text file of embeddings that is larger than the memory of the process.

    python benchmarks/large_export.py [--rows 2200000] [--dimension 300] [--limit_megabytes 1000]

Makes the file, then runs examples/text_embeddings/export.py on it in a process whose private
memory is limited (by RLIMIT_DATA, so on Linux only). Mapped files do not count, as the system
takes their memory back when it needs it. Then checks the module.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).parents[1]
MEGABYTE = 10**6
DISTINCT_VECTORS = 4096


def main() -> None:
    """Prints the time and the memory of the export."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=2_200_000)
    parser.add_argument("--dimension", type=int, default=300)
    parser.add_argument("--limit_megabytes", type=int, default=1000)
    parser.add_argument("--directory", help="where the files go, of four times the vectors' size")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        folder = pathlib.Path(directory)
        vectors = _write_text(folder / "vectors.txt", options.rows, options.dimension)
        matrix_bytes = options.rows * options.dimension * 4
        text_bytes = (folder / "vectors.txt").stat().st_size
        print(f"{options.rows:,} x {options.dimension}: {text_bytes / MEGABYTE:,.0f} MB of text,")
        print(
            f"{matrix_bytes / MEGABYTE:,.0f} MB of vectors; {options.limit_megabytes:,} MB allowed"
        )
        _export(folder, options.limit_megabytes * MEGABYTE, matrix_bytes)
        _check(folder / "module", vectors, options.rows)


def _write_text(path: pathlib.Path, rows: int, dimension: int) -> np.ndarray:
    """Writes row i as the word "word<i>" with vector i % DISTINCT_VECTORS; returns the vectors."""
    numbers = np.random.default_rng(0).normal(0, 0.3, [DISTINCT_VECTORS, dimension])
    lines = [" ".join(f"{number:.5f}" for number in row) for row in numbers]
    with path.open("w") as file:
        for start in range(0, rows, DISTINCT_VECTORS):
            block = zip(range(start, min(start + DISTINCT_VECTORS, rows)), lines, strict=False)
            file.write("".join(f"word{row} {line}\n" for row, line in block))
    return numbers.round(5).astype(np.float32)


def _export(folder: pathlib.Path, limit: int, matrix_bytes: int) -> None:
    begin = time.perf_counter()
    process = subprocess.Popen(
        [
            sys.executable,
            str(ROOT / "examples/text_embeddings/export.py"),
            f"--embedding_file={folder / 'vectors.txt'}",
            f"--export_path={folder / 'module'}",
            "--nopreprocess_text",
        ],
        env={**os.environ, "TMPDIR": str(folder)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
    )
    peak = _watch_peak(process)
    if process.wait():
        sys.exit(f"FAILED: the export ended with status {process.returncode}")
    seconds, times = time.perf_counter() - begin, os.times()
    cpu = times.children_user + times.children_system
    print(f"time                 {seconds:8.0f} s ({cpu:.0f} s CPU)")
    print(f"private memory       {peak / MEGABYTE:8,.0f} MB")
    print(f"beside the vectors   {peak / matrix_bytes:8.2f}")


def _watch_peak(process: subprocess.Popen[bytes]) -> int:
    """Waits for the end of a process, and returns the peak of its private memory in bytes."""
    status = pathlib.Path(f"/proc/{process.pid}/status")  # exists until poll() sees the end
    peak = 0
    while process.poll() is None:
        for line in status.read_text().splitlines():
            if line.startswith("RssAnon:"):
                peak = max(peak, int(line.split()[1]) * 1024)
        time.sleep(0.02)
    return peak


def _check(module: pathlib.Path, vectors: np.ndarray, rows: int) -> None:
    """Checks some rows of the checkpoint, without reading all of it."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    dimension = vectors.shape[1]
    reader = tf.train.load_checkpoint(str(module / "variables/variables"))
    assert reader.get_variable_to_shape_map() == {"embeddings": [rows + 1, dimension]}
    data: np.ndarray = np.memmap(
        next(module.glob("variables/variables.data-*")),
        np.float32,
        "r",
        shape=(rows + 1, dimension),
    )
    chosen = np.random.default_rng(1).integers(0, rows, 1000)
    np.testing.assert_array_equal(data[chosen], vectors[chosen % DISTINCT_VECTORS])
    print("1,000 rows are what they should be")


if __name__ == "__main__":
    main()

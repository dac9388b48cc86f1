"""Tests of hubmodule.inspection.weights."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from hubmodule.errors import CheckpointError
from hubmodule.format import checkpoint
from hubmodule.inspection import checkpoint_files, weights
from hubmodule.inspection.checkpoint_files import Checkpoint, StoredReader
from hubmodule.inspection.differences import ValueChange


def write(directory: Path, entries: dict[str, np.ndarray], parts: dict | None = None) -> Checkpoint:
    """A checkpoint; `parts` gives slices of a variable "p" by their slice specs."""
    listed = [checkpoint.Entry(name, value) for name, value in entries.items()]
    listed += [checkpoint.Entry("p", value, spec) for spec, value in (parts or {}).items()]
    (directory / "variables").mkdir(parents=True)
    checkpoint.write(str(directory / "variables" / "variables"), listed)
    return checkpoint_files.read_checkpoint(str(directory))


def compare(tmp_path: Path, before: np.ndarray, after: np.ndarray) -> ValueChange | None:
    first = write(tmp_path / "a", {"v": before})
    second = write(tmp_path / "b", {"v": after})
    return weights.compare_values("v", (first, "v"), (second, "v"))


def test_differences(tmp_path: Path) -> None:
    change = compare(tmp_path, np.float32([3.0, 4.0]), np.float32([3.0, 4.5]))
    assert change == ValueChange("v", 0.5, pytest.approx(0.1))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "int8", "bool", "complex64"])
def test_types(dtype: str, tmp_path: Path) -> None:
    numpy_type = tf.as_dtype(dtype).as_numpy_dtype
    values = [np.array([1, 0], numpy_type), np.array([0, 0], numpy_type)]
    assert compare(tmp_path, *values) == ValueChange("v", 1.0, 1.0)


def test_equal_values_in_other_bytes(tmp_path: Path) -> None:
    values = [np.float32([0.0, np.nan, np.inf]), np.float32([-0.0, -np.nan, np.inf])]
    assert compare(tmp_path, *values) is None


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([1.0, 2.0], [np.nan, 3.0], ValueChange("v", reason="NaN in one of the modules")),
        ([np.inf, 2.0], [1.0, 3.0], ValueChange("v", reason="infinite in one of the modules")),
        ([np.inf, 2.0], [np.inf, 3.0], ValueChange("v", 1.0, reason="not finite")),
        ([np.nan, 2.0], [np.nan, 3.0], ValueChange("v", 1.0, reason="not finite")),
    ],
)
def test_what_is_not_finite(
    before: list[float], after: list[float], expected: ValueChange, tmp_path: Path
) -> None:
    assert compare(tmp_path, np.float32(before), np.float32(after)) == expected


def test_zeros_before(tmp_path: Path) -> None:
    assert compare(tmp_path, np.zeros(2), np.ones(2)) == ValueChange("v", 1.0, reason="was 0")


def test_strings(tmp_path: Path) -> None:
    values = [np.array([b"a"], object), np.array([b"b"], object)]
    assert compare(tmp_path, *values) == ValueChange("v", reason="its elements are not numbers")


def test_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PIECE_ELEMENTS", 7)
    sizes = []
    read = StoredReader.read

    def spy(*arguments) -> bytes:
        content = read(*arguments)
        sizes.append(len(content))
        return content

    monkeypatch.setattr(StoredReader, "read", spy)
    before = np.arange(100, dtype=np.float32).reshape(10, 10)
    after = before.copy()
    after[9, 9] += 2.0
    change = compare(tmp_path, before, after)
    assert change.largest_difference == 2.0
    assert max(sizes) <= 7 * 4
    assert sum(sizes) == 2 * before.nbytes


@pytest.mark.parametrize("piece", [1, 4, 1000])
def test_partitioned_and_whole(piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PIECE_ELEMENTS", piece)
    whole = np.arange(12, dtype=np.float32).reshape(3, 4)
    rows = {"3 4 0,1:-": whole[:1], "3 4 1,2:-": whole[1:]}
    columns = {"3 4 -:0,3": whole[:, :3], "3 4 -:3,1": whole[:, 3:] + 1}
    first = write(tmp_path / "a", {"p": whole})
    second = write(tmp_path / "b", {}, rows)
    third = write(tmp_path / "c", {}, columns)
    assert weights.compare_values("p", (first, "p"), (second, "p")) is None
    change = weights.compare_values("p", (second, "p"), (third, "p"))
    assert change.largest_difference == 1.0


def test_large_integers(tmp_path: Path) -> None:
    values = [np.array([2**60]), np.array([2**60 + 1])]
    assert compare(tmp_path, *values).largest_difference == 1.0


def test_parts_that_do_not_fit(tmp_path: Path) -> None:
    rows = np.zeros((2, 2), np.float32)
    sound = write(tmp_path / "a", {}, {"2 2 0,1:-": rows[:1], "2 2 1,1:-": rows[1:]})
    entry = sound.index.entries["p"]
    moved = entry.parts[1]._replace(start=(2, 0))
    index = sound.index._replace(entries={"p": entry._replace(parts=(entry.parts[0], moved))})
    damaged = dataclasses.replace(sound, index=index)
    with pytest.raises(CheckpointError, match="a size is wrong"):
        weights.compare_values("p", (damaged, "p"), (damaged, "p"))


@pytest.mark.parametrize("shape", [(1 << 40,), (-1,), (1, 1 << 50)])
def test_sizes_that_are_wrong(shape: tuple[int, ...], tmp_path: Path) -> None:
    sound = write(tmp_path / "a", {"v": np.zeros(4)})
    entry = sound.index.entries["v"]._replace(shape=shape)
    index = sound.index._replace(entries={"v": entry})
    damaged = dataclasses.replace(sound, index=index)
    with pytest.raises(CheckpointError, match="a size is wrong"):
        weights.compare_values("v", (damaged, "v"), (damaged, "v"))


def test_a_data_file_that_is_cut_off(tmp_path: Path) -> None:
    first = write(tmp_path / "a", {"v": np.zeros(100)})
    second = write(tmp_path / "b", {"v": np.ones(100)})
    Path(second.get_shard_path(0)).write_bytes(b"")
    with pytest.raises(CheckpointError, match="beyond its end"):
        weights.compare_values("v", (first, "v"), (second, "v"))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of hubmodule.inspection.checkpoint_files."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from hubmodule.errors import CheckpointError
from hubmodule.inspection.checkpoint_files import StoredReader, read_checkpoint, read_object_graph
from tests.inspection.modules import golden


@pytest.fixture
def module(tmp_path: Path) -> Path:
    shutil.copytree(golden("batch_norm"), tmp_path / "m")
    return tmp_path / "m"


def test_a_whole_checkpoint(module: Path) -> None:
    checkpoint = read_checkpoint(str(module))
    assert checkpoint.damage == ()
    assert len(checkpoint.index.entries) == 5
    assert checkpoint.bytes == sum(f.stat().st_size for f in (module / "variables").iterdir())


def test_no_variables(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(str(tmp_path))
    assert (checkpoint.bytes, checkpoint.damage, checkpoint.index.entries) == (0, (), {})


def test_a_data_file_that_is_cut_off(module: Path) -> None:
    data = module / "variables" / "variables.data-00000-of-00001"
    length = data.stat().st_size
    data.write_bytes(data.read_bytes()[:-1])
    (damage,) = read_checkpoint(str(module)).damage
    assert f"ends at byte {length - 1} of {length}" in damage


def test_a_missing_data_file(module: Path) -> None:
    (module / "variables" / "variables.data-00000-of-00001").unlink()
    (damage,) = read_checkpoint(str(module)).damage
    assert "data-00000-of-00001 is missing" in damage


def test_a_missing_index(module: Path) -> None:
    (module / "variables" / "variables.index").unlink()
    assert read_checkpoint(str(module)).damage == ("variables/variables.index is missing.",)


def test_a_damaged_index(module: Path) -> None:
    (module / "variables" / "variables.index").write_bytes(b"x" * 99)
    (damage,) = read_checkpoint(str(module)).damage
    assert "index of the checkpoint is damaged" in damage


def test_a_part_of_a_stored_tensor(module: Path) -> None:
    checkpoint = read_checkpoint(str(module))
    (part,) = checkpoint.index.entries["norm/gamma"].parts
    with StoredReader(checkpoint) as reader:
        whole = reader.read(part)
        assert reader.read(part, 4, 4) == whole[4:8]
        assert reader.read(part, 8, 4) == whole[8:12]
        with pytest.raises(CheckpointError, match="beyond its end"):
            reader.read(part, 0, 1 << 40)
    Path(checkpoint.get_shard_path(0)).unlink()
    with StoredReader(checkpoint) as reader, pytest.raises(CheckpointError, match="cannot be read"):
        reader.read(part)


def test_the_object_graph(tmp_path: Path) -> None:
    root = tf.Module()
    root.v = tf.Variable([1.0, 2.0])
    tf.saved_model.save(root, str(tmp_path / "m"))
    damage: list[str] = []
    graph = read_object_graph(read_checkpoint(str(tmp_path / "m")), damage)
    assert [child.local_name for child in graph.nodes[0].children][:1] == ["v"]
    (tmp_path / "m" / "variables" / "variables.data-00000-of-00001").write_bytes(b"")
    assert len(read_object_graph(read_checkpoint(str(tmp_path / "m")), damage).nodes) == 0
    assert damage == ["The object graph of the checkpoint cannot be read."]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

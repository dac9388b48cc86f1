"""checkpoint: written in pieces, read back, and checked against variables."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.variable_pb2 import VariableDef

from hubmodule.errors import CheckpointError
from hubmodule.format import checkpoint
from hubmodule.format.checkpoint import Contents, Entry
from hubmodule.surgery.state import VariableState

VALUES = {
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "int8": np.array([-1, 2], np.int8),
    "bool": np.array([True, False]),
    "complex": np.array([1 + 2j], np.complex64),
    "bfloat16": np.array([1.5, -2], tf.bfloat16.as_numpy_dtype),
    "float8": np.array([1, 2], tf.float8_e4m3fn.as_numpy_dtype)
    if hasattr(tf, "float8_e4m3fn")
    else np.array([1], np.uint16),
    "empty": np.zeros([0, 3], np.int64),
    "scalar": np.float64(3.5),
    "strings": np.array([[b"a", b"\0b\0"]], object),
    "text": np.array(["caf\u00e9"]),
    "scalar string": b"zero at the end\0",
}


@pytest.fixture
def prefix(tmp_path):
    return str(tmp_path / "variables" / "variables")


@pytest.fixture
def small_pieces(monkeypatch):
    """Pieces of one large entry, or of a few small ones."""
    monkeypatch.setattr(checkpoint, "PIECE_BYTES", 16)


def written(prefix: str, **values: np.ndarray) -> dict:
    """The values of a checkpoint that was just written."""
    checkpoint.write(prefix, (Entry(name, value) for name, value in values.items()))
    return dict(zip(values, checkpoint.read(prefix, values), strict=True))


class TestWriteAndRead:
    @pytest.mark.parametrize("name", VALUES)
    def test_each_type_comes_back(self, prefix, name):
        value = VALUES[name]
        found = written(prefix, v=value)["v"]
        if name == "text":
            value = np.array(["café".encode()], object)
        np.testing.assert_array_equal(
            np.asarray(found, object if name == "scalar string" else None),
            np.asarray(value, object if name == "scalar string" else None),
        )
        assert getattr(found, "dtype", None) == getattr(value, "dtype", None)

    def test_pieces_make_one_checkpoint(self, prefix, small_pieces, tmp_path):
        found = written(prefix, **VALUES)
        assert found["scalar string"] == VALUES["scalar string"]
        np.testing.assert_array_equal(found["matrix"], VALUES["matrix"])
        files = sorted(path.name for path in (tmp_path / "variables").iterdir())
        count = len(files) - 1
        assert count > 2
        assert files == [
            *(f"variables.data-{i:05d}-of-{count:05d}" for i in range(count)),
            "variables.index",
        ]

    def test_a_small_checkpoint_is_one_shard(self, prefix, tmp_path):
        written(prefix, a=VALUES["matrix"], b=VALUES["bool"])
        files = sorted(path.name for path in (tmp_path / "variables").iterdir())
        assert files == ["variables.data-00000-of-00001", "variables.index"]

    def test_slices_make_a_whole_over_pieces(self, prefix, small_pieces):
        top, bottom = np.full([2, 3], 1.0, np.float32), np.full([1, 3], 2.0, np.float32)
        checkpoint.write(
            prefix, [Entry("emb", top, "3 3 0,2:0,3"), Entry("emb", bottom, "3 3 2,1:0,3")]
        )
        [whole] = checkpoint.read(prefix, ["emb"])
        np.testing.assert_array_equal(whole, np.concatenate([top, bottom]))
        assert checkpoint.read_contents(prefix).shapes == {"emb": [3, 3]}

    def test_entries_are_taken_as_they_are_written(self, prefix, small_pieces, monkeypatch):
        events = []
        save = checkpoint._save
        monkeypatch.setattr(
            checkpoint, "_save", lambda *args: (events.append("write"), save(*args))
        )

        def entries() -> Iterator[Entry]:
            for name in "ab":
                events.append(name)
                yield Entry(name, np.zeros(4, np.float32))

        checkpoint.write(prefix, entries())
        assert events == ["a", "write", "b", "write"]

    def test_nothing_is_written_without_entries(self, prefix, tmp_path):
        checkpoint.write(prefix, [])
        assert list(tmp_path.iterdir()) == []

    def test_neither_a_graph_nor_a_session_of_the_caller_matters(self, prefix):
        with tf.Graph().as_default() as graph, tf.compat.v1.Session():
            graph.finalize()
            found = written(prefix, v=VALUES["matrix"])
        np.testing.assert_array_equal(found["v"], VALUES["matrix"])

    def test_tensorflow_restores_it(self, prefix):
        written(prefix, v=VALUES["matrix"])
        restored = tf.raw_ops.RestoreV2(
            prefix=prefix, tensor_names=["v"], shape_and_slices=[""], dtypes=[tf.float32]
        )
        np.testing.assert_array_equal(restored[0], VALUES["matrix"])

    def test_values_are_read_when_they_are_asked_for(self, prefix):
        written(prefix, v=VALUES["matrix"])
        values = checkpoint.read(prefix, ["v", "missing"])
        assert next(values).shape == (2, 3)
        with pytest.raises(CheckpointError, match="Cannot read 'missing' of checkpoint"):
            next(values)


class TestContents:
    def test_tells_shapes_and_types(self, prefix):
        written(prefix, a=VALUES["matrix"], b=VALUES["scalar string"])
        found = checkpoint.read_contents(prefix)
        assert found.prefix == prefix
        assert found.shapes == {"a": [2, 3], "b": []}
        assert found.dtypes == {"a": tf.float32, "b": tf.string}

    def test_no_checkpoint_is_an_error(self, prefix):
        with pytest.raises(CheckpointError, match=f"Cannot read checkpoint {prefix}"):
            checkpoint.read_contents(prefix)

    def test_a_damaged_index_is_an_error(self, prefix, tmp_path):
        written(prefix, a=VALUES["matrix"])
        (tmp_path / "variables/variables.index").write_bytes(b"<html>" * 20)
        with pytest.raises(CheckpointError, match=f"Cannot read checkpoint {prefix}"):
            checkpoint.read_contents(prefix)

    def test_missing_data_is_an_error(self, prefix, tmp_path):
        written(prefix, a=VALUES["matrix"])
        (tmp_path / "variables/variables.data-00000-of-00001").unlink()
        with pytest.raises(CheckpointError, match=prefix):
            list(checkpoint.read(prefix, ["a"]))

    def test_truncated_data_is_an_error(self, prefix, tmp_path):
        written(prefix, a=np.zeros(1000, np.float32))
        data = tmp_path / "variables/variables.data-00000-of-00001"
        data.write_bytes(data.read_bytes()[:2000])
        with pytest.raises(CheckpointError, match="Cannot read 'a'"):
            list(checkpoint.read(prefix, ["a"]))


class TestLatest:
    def test_a_prefix_is_itself(self, prefix):
        assert checkpoint.find_latest(prefix) == prefix

    def test_a_directory_is_its_newest_checkpoint(self, tmp_path):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            tf.compat.v1.get_variable("v", [])
            session.run(tf.compat.v1.global_variables_initializer())
            saver = tf.compat.v1.train.Saver()
            for step in (1, 2):
                saver.save(session, str(tmp_path / "model"), step)
        assert checkpoint.find_latest(str(tmp_path)) == str(tmp_path / "model-2")

    def test_a_directory_without_one_is_itself(self, tmp_path):
        assert checkpoint.find_latest(str(tmp_path)) == str(tmp_path)


class TestCheck:
    CONTENTS = Contents("/m/v", {"w": [2, 3]}, {"w": tf.float32})

    @pytest.mark.parametrize("shape", [[2, 3], [None, 3], None])
    def test_what_fits_will_do(self, shape):
        self.CONTENTS.check("w", tf.TensorShape(shape), tf.float32)

    @pytest.mark.parametrize(
        ("shape", "dtype"), [([3, 2], tf.float32), ([6], tf.float32), ([2, 3], tf.float64)]
    )
    def test_another_shape_or_type_is_an_error(self, shape, dtype):
        with pytest.raises(CheckpointError) as caught:
            self.CONTENTS.check("w", tf.TensorShape(shape), dtype)
        assert "is float32 (2, 3)" in str(caught.value)
        assert f"the variable is {dtype.name} {tf.TensorShape(shape)}" in str(caught.value)

    def test_a_missing_tensor_is_named_with_those_there_are(self):
        with pytest.raises(
            CheckpointError, match=r"no tensor 'v', .*it has 'w'\. .*name_transform"
        ):
            self.CONTENTS.check("v", tf.TensorShape([]), tf.float32)

    def test_of_many_tensors_a_few_are_named(self):
        shapes = {f"t{i:02}": [] for i in range(20)}
        with pytest.raises(CheckpointError, match="'t07' and 12 more"):
            Contents("/m/v", shapes, {}).check("v", tf.TensorShape([]), tf.float32)

    def test_of_no_tensors_none_is_named(self):
        with pytest.raises(CheckpointError, match="it has none"):
            Contents("/m/v", {}, {}).check("v", tf.TensorShape([]), tf.float32)


class TestBatches:
    @staticmethod
    def variables(*shapes: list[int] | None) -> list[VariableState]:
        return [VariableState(VariableDef(), tf.float32, tf.TensorShape(s)) for s in shapes]

    def test_a_batch_ends_where_a_piece_is_full(self, small_pieces):
        variables = self.variables([2], [2], [100], [1])
        batches = list(checkpoint.split_into_batches(variables))
        assert [len(batch) for batch in batches] == [2, 1, 1]
        assert list(itertools.chain(*batches)) == variables

    def test_unknown_and_empty_shapes_count_little(self, small_pieces):
        assert len(list(checkpoint.split_into_batches(self.variables(None, [0], [])))) == 1

    def test_no_variables_make_no_batch(self):
        assert list(checkpoint.split_into_batches([])) == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

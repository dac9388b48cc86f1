"""Files of vectors."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.skipping import skip_without

skip_without("apache_beam", __name__)

from examples.text_embeddings.vector_files import (
    count_rows,
    describe_run,
    list_finished,
    read_description,
    read_vectors,
    write_part,
)

VECTORS = np.arange(6, dtype=np.float32).reshape(3, 2)


def test_a_part_comes_back(tmp_path):
    groups = [(range(5, 7), VECTORS[:2], ["a", "b"]), (range(7, 8), VECTORS[2:], ["c"])]
    assert write_part(str(tmp_path), 3, groups) == 3
    path = list_finished(str(tmp_path))[3]
    assert path.endswith("part-000003.parquet")
    assert count_rows(path) == 3
    read = list(read_vectors(path))
    assert [id for ids, _, _ in read for id in ids] == [5, 6, 7]
    assert [text for _, texts, _ in read for text in texts] == ["a", "b", "c"]
    assert np.concatenate([vectors for _, _, vectors in read]).tolist() == VECTORS.tolist()


def test_texts_may_be_left_out(tmp_path):
    write_part(str(tmp_path), 0, [(["x"], VECTORS[:1], None)])
    ((ids, texts, _),) = read_vectors(list_finished(str(tmp_path))[0])
    assert (ids, texts) == (["x"], [None])


def test_a_part_that_fails_does_not_appear(tmp_path):
    def fail():
        yield range(2), VECTORS[:2], None
        raise ValueError("stopped")

    with pytest.raises(ValueError, match="stopped"):
        write_part(str(tmp_path), 0, fail())
    assert list_finished(str(tmp_path)) == {}


def test_outputs_that_are_not_vectors_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has the shape \(2,\)"):
        write_part(str(tmp_path), 0, [(range(2), np.zeros(2), None)])


def test_the_next_run_removes_what_is_unfinished(tmp_path):
    describe_run(str(tmp_path), {"module": "m"})
    write_part(str(tmp_path), 0, [(range(3), VECTORS, None)])
    (tmp_path / "unfinished-1").touch()
    describe_run(str(tmp_path), {"module": "m"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "corpus.json",
        "part-000000.parquet",
    ]


def test_a_run_of_another_module_is_refused(tmp_path):
    describe_run(str(tmp_path / "new"), {"module": "m", "rows": 1})
    assert read_description(str(tmp_path / "new")) == {"module": "m", "rows": 1}
    with pytest.raises(ValueError, match="with other values of module, rows"):
        describe_run(str(tmp_path / "new"), {"module": "n", "rows": 2})


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

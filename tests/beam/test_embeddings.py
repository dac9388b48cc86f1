"""ModuleEmbeddings: modules in MLTransform."""

from __future__ import annotations

import sys

import pytest

import hubmodule as hub
from tests.beam.modules import export_numbers, export_words
from tests.skipping import skip_without

skip_without("apache_beam", __name__)

import apache_beam as beam
from apache_beam.ml.transforms.base import MLTransform

from hubmodule.beam import ModuleEmbeddings
from tests.beam.collecting import collect

ROWS = [
    {"title": "a cat", "text": "a cat on a mat", "id": 1},
    {"title": "a dog", "text": "the dog", "id": 2},
]


def transform(rows, transform):
    with beam.Pipeline() as pipeline:
        found = collect(pipeline | beam.Create(rows) | transform)
    return sorted(found, key=lambda row: row["id"])


def test_columns_become_the_embeddings_of_eval_function_for_module(tmp_path):
    path = export_words(tmp_path / "m")
    embeddings = ModuleEmbeddings(path, columns=["title", "text"])
    found = transform(
        ROWS, MLTransform(write_artifact_location=str(tmp_path / "a")).with_transform(embeddings)
    )
    with hub.eval_function_for_module(path) as f:
        assert [row["title"] for row in found] == f(["a cat", "a dog"]).tolist()
        assert [row["text"] for row in found] == f(["a cat on a mat", "the dog"]).tolist()
    assert [row["id"] for row in found] == [1, 2]


def test_a_later_pipeline_reads_the_artifacts(tmp_path):
    location = str(tmp_path / "a")
    path = export_numbers(tmp_path / "m")
    embeddings = ModuleEmbeddings(path, columns=["x"], tags={"shifted"}, min_batch_size=2)
    rows = [{"x": "1", "id": 1}, {"x": "2", "id": 2}]
    expected = [{"x": 101.0, "id": 1}, {"x": 102.0, "id": 2}]
    write = MLTransform(write_artifact_location=location).with_transform(embeddings)
    assert transform(rows, write) == expected
    assert transform(rows, MLTransform(read_artifact_location=location)) == expected


def test_signature_output_and_inference_args(tmp_path):
    embeddings = ModuleEmbeddings(
        export_numbers(tmp_path / "m"),
        columns=["x"],
        signature="scale",
        output="scaled",
        inference_args={"scale": 3.0},
    )
    write = MLTransform(write_artifact_location=str(tmp_path / "a")).with_transform(embeddings)
    assert transform([{"x": 2.0, "id": 1}], write) == [{"x": 6.0, "id": 1}]


def test_errors_are_rows_with_the_element(tmp_path):
    embeddings = ModuleEmbeddings(export_numbers(tmp_path / "m"), columns=["x"])
    with beam.Pipeline() as pipeline:
        results, errors = (
            pipeline
            | beam.Create([{"x": "bad"}])
            | MLTransform(write_artifact_location=str(tmp_path / "a"))
            .with_transform(embeddings)
            .with_exception_handling()
        )
        good, bad = collect(results), collect(errors)
    assert good == []
    (row,) = bad
    assert row.element == [{"x": "bad"}]
    assert "could not correctly convert string: bad" in row.msg


def test_one_module_is_loaded_for_all_batches(tmp_path, monkeypatch):
    loads = []
    load = hub.ModuleApplier.load
    monkeypatch.setattr(hub.ModuleApplier, "load", lambda self: loads.append(load(self)))
    embeddings = ModuleEmbeddings(
        export_numbers(tmp_path / "m"), columns=["x"], min_batch_size=1, max_batch_size=1
    )
    write = MLTransform(write_artifact_location=str(tmp_path / "a")).with_transform(embeddings)
    transform([{"x": str(n), "id": n} for n in range(5)], write)
    assert len(loads) == 1


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""embed_corpus.py: corpora of several formats, runs that are stopped, and workers that die."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

import hubmodule as hub
from tests.beam.modules import export_words
from tests.processes import run_code, run_python
from tests.skipping import skip_without

skip_without("apache_beam", __name__)

from examples.text_embeddings import embed_corpus as program
from examples.text_embeddings.corpus import find_corpus
from examples.text_embeddings.vector_files import list_finished, read_vectors

PROGRAM = Path(program.__file__)
TEXTS = [f"Sentence {n} of {n % 11}" for n in range(1000)]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return export_words(tmp_path_factory.mktemp("module") / "m")


@pytest.fixture
def run(tmp_path, path):
    (tmp_path / "corpus.txt").write_text("\n".join(TEXTS))
    corpus = find_corpus(str(tmp_path / "corpus.txt"), None, None, None)
    return program.Run(corpus, path, str(tmp_path / "vectors"), rows_per_part=300, batch_size=64)


def read_all(directory):
    """The ids, texts and vectors of all rows."""
    found = [rows for path in list_finished(directory).values() for rows in read_vectors(path)]
    ids = [id for rows in found for id in rows[0]]
    texts = [text for rows in found for text in rows[1]]
    return ids, texts, np.concatenate([rows[2] for rows in found])


def evaluate(path, texts):
    with hub.eval_function_for_module(path) as f:
        return f(texts)


def test_the_vectors_are_those_of_the_module(run, path):
    summary = program.embed_corpus(run)
    assert (summary.rows, summary.parts, summary.rows_found) == (1000, 4, 0)
    ids, texts, vectors = read_all(run.output)
    assert ids == list(range(1000))
    assert set(texts) == {None}
    assert vectors.tobytes() == evaluate(path, TEXTS).tobytes()


def test_texts_in_lower_case_are_kept_as_they_are(run, path):
    program.embed_corpus(dataclasses.replace(run, lower_case=True, keep_text=True))
    _, texts, vectors = read_all(run.output)
    assert texts == TEXTS
    expected = evaluate(path, [text.lower() for text in TEXTS])
    assert vectors.tobytes() == expected.tobytes()


def test_a_second_run_computes_what_is_missing(run):
    program.embed_corpus(run)
    files = list_finished(run.output)
    before = {number: Path(file).read_bytes() for number, file in files.items()}
    Path(files[1]).unlink()
    written = {
        number: Path(file).stat().st_mtime_ns for number, file in files.items() if number != 1
    }
    summary = program.embed_corpus(run)
    assert (summary.rows, summary.rows_found) == (1000, 700)
    after = list_finished(run.output)
    assert {number: Path(file).read_bytes() for number, file in after.items()} == before
    assert {n: Path(after[n]).stat().st_mtime_ns for n in written} == written
    assert program.embed_corpus(run).rows_found == 1000


def test_another_corpus_is_not_mixed_in(run):
    program.embed_corpus(run)
    with pytest.raises(ValueError, match="with other values of rows_per_part"):
        program.embed_corpus(dataclasses.replace(run, rows_per_part=100))


def test_counters(run, monkeypatch):
    results = []
    run_pipeline = program.beam.Pipeline.run
    monkeypatch.setattr(
        program.beam.Pipeline,
        "run",
        lambda self, *args: results.append(run_pipeline(self, *args)) or results[-1],
    )
    program.embed_corpus(run)
    found = (
        results[0]
        .metrics()
        .query(program.beam.metrics.MetricsFilter().with_namespace("embed_corpus"))
    )
    counters = {counter.key.metric.name: counter.result for counter in found["counters"]}
    assert counters == {"rows": 1000, "parts": 4, "bytes_of_text": sum(map(len, TEXTS))}
    (distribution,) = found["distributions"]
    assert distribution.result.count == 4


def test_progress_counts_the_rows(run, capsys):
    program.embed_corpus(run, progress=True)
    assert "1.00k/1.00k" in capsys.readouterr().err


def test_a_file_of_the_output_that_is_too_short(run):
    program.embed_corpus(run)
    files = list_finished(run.output)
    Path(files[0]).write_bytes(Path(files[3]).read_bytes())  # Part 3 has 100 rows.
    with pytest.raises(RuntimeError, match=r"Part 0 has 100 rows in .*, and 300 in"):
        program.embed_corpus(run)


@pytest.mark.parametrize("workers", [1, 2])
def test_as_a_program(run, path, workers):
    done = run_python(
        str(PROGRAM),
        f"--input={run.corpus.files[0]}",
        f"--module={path}",
        f"--output={run.output}",
        "--rows_per_part=300",
        f"--direct_num_workers={workers}",
        *(["--direct_running_mode=multi_processing"] if workers > 1 else []),
        TF_ENABLE_ONEDNN_OPTS="0",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1,000 rows in 4 files; ")
    assert read_all(run.output)[2].tobytes() == evaluate(path, TEXTS).tobytes()


def test_a_worker_that_is_killed_and_a_second_run(run, path):
    # The other worker may finish its parts or not; the second run does what is missing.
    done = run_code(
        f"""
        import os, signal
        import apache_beam as beam
        import hubmodule as hub
        from apache_beam.options.pipeline_options import PipelineOptions
        from examples.text_embeddings import embed_corpus
        from examples.text_embeddings.corpus import Corpus

        class Killed(embed_corpus.EmbedParts):
            def process(self, part):
                for rows in super().process(part):
                    os.kill(os.getpid(), signal.SIGKILL)
                    yield rows

        embed_corpus.EmbedParts = Killed
        run = embed_corpus.Run(
            Corpus({run.corpus.files!r}, "lines"), {path!r}, {run.output!r}, rows_per_part=300
        )
        embed_corpus.embed_corpus(run, PipelineOptions(
            ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
        ))
        """,
        TF_ENABLE_ONEDNN_OPTS="0",
    )
    assert done.returncode != 0
    assert "A worker process ended before its part was done" in done.stderr
    assert 1 <= len(list_finished(run.output)) < 4
    summary = program.embed_corpus(run)
    assert summary.rows_found > 0
    ids, _, vectors = read_all(run.output)
    assert ids == list(range(1000))
    assert vectors.tobytes() == evaluate(path, TEXTS).tobytes()


def test_errors_end_the_program_with_a_message(tmp_path, path):
    with pytest.raises(SystemExit, match=r"(?s)Stopped: No file.*command continues"):
        program.main([f"--input={tmp_path}/none", f"--module={path}", f"--output={tmp_path}/v"])


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

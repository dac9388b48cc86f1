"""Modules on workers that are processes of their own."""

from __future__ import annotations

import signal
import sys

import pytest

import hubmodule as hub
from tests.beam.modules import export_words
from tests.processes import run_python
from tests.skipping import skip_without

skip_without("apache_beam", __name__)

SENTENCES = [f"sentence {n} of {n % 13}" for n in range(2000)]
PIPELINE = """
import os, sys
import apache_beam as beam
from apache_beam.ml.inference.base import RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from hubmodule.beam import ModuleHandler

def stop_worker(sentence, last):
    if sentence == last:
        os.kill(os.getpid(), {kill})
    return sentence

def write_row(result):
    return "\\t".join([str(os.getpid()), result.example, result.inference.tobytes().hex()])

options = PipelineOptions(["--direct_num_workers=2", "--direct_running_mode=multi_processing"])
with beam.Pipeline(options=options) as pipeline:
    _ = (
        pipeline
        | beam.Create([f"sentence {{n}} of {{n % 13}}" for n in range(2000)])
        | beam.Reshuffle()
        | beam.Map(stop_worker, sys.argv[3])
        | RunInference(ModuleHandler(sys.argv[1], large_model={large}))
        | "row" >> beam.Map(write_row)
        | beam.io.WriteToText(sys.argv[2])
    )
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return export_words(tmp_path_factory.mktemp("module") / "m")


def run_pipeline(directory, path, kill_at="", large=False):
    program = directory / "program.py"
    program.write_text(PIPELINE.format(kill=int(signal.SIGKILL), large=large))
    output = str(directory / "rows")
    return run_python(str(program), path, output, kill_at, TF_ENABLE_ONEDNN_OPTS="0")


def read_rows(directory):
    files = sorted(directory.glob("rows-*"))
    return [line.split("\t") for file in files for line in file.read_text().splitlines()]


@pytest.mark.parametrize("large", [False, True], ids=["a copy each", "one copy"])
def test_two_processes_compute_what_eval_function_for_module_does(tmp_path, path, large):
    done = run_pipeline(tmp_path, path, large=large)
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path)
    assert len({process for process, _, _ in rows}) == 2
    with hub.eval_function_for_module(path) as f:
        expected = zip(SENTENCES, f(SENTENCES), strict=True)
    assert sorted((sentence, vector) for _, sentence, vector in rows) == sorted(
        (sentence, row.tobytes().hex()) for sentence, row in expected
    )
    # What Python says of an object that it cannot delete when a process ends.
    assert "Exception ignored" not in done.stderr


def test_a_worker_that_is_killed_ends_the_pipeline_with_an_error(tmp_path, path):
    done = run_pipeline(tmp_path, path, kill_at=SENTENCES[777])
    assert done.returncode != 0
    assert "Channel closed prematurely" in done.stderr
    assert read_rows(tmp_path) == []
    assert run_pipeline(tmp_path, path).returncode == 0
    assert len(read_rows(tmp_path)) == len(SENTENCES)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

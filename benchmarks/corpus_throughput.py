"""Measures how fast a corpus is embedded with Apache Beam: per worker, with two, and as it grows.

    python -m benchmarks.corpus_throughput [--rows 20000] [--growth 100000 2000000]

Needs the packages of hubmodule[beam], e.g. the environment that `make test-beam` makes. The module
is GloVe's 10,000 words of 50 dimensions, and the corpus repeats the 3,000 sentences of the demo.
Prints, in sentences per second, a bare session, ModuleHandler with the same batches, RunInference
in a pipeline, embed_corpus.py, and embed_corpus.py without the module: what reading and writing
take. Then one worker process and two; and with --growth, the time per million rows and the peak
memory of a process for each number of rows. Ends with status 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DATA = ROOT / "examples" / "text_embeddings" / "data"
BATCH = 1024
ROUNDS = 5
ROWS_OF_TWO_WORKERS = 1_600_000
LEAST_OF_BARE_SESSION = 0.9
LEAST_OF_TWO_WORKERS = 1.7
LEAST_FREE = 1.9
MOST_GROWTH = 1.2


def main() -> None:
    """Prints the figures, or says that Beam is missing."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--growth", type=int, nargs="+", default=[], metavar="ROWS")
    parser.add_argument("--only_growth", action="store_true", help="measure nothing else")
    parser.add_argument("--embed", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if importlib.util.find_spec("apache_beam") is None:
        print("Embedding a corpus: not measured, as apache-beam is missing: make beam-environment")
        return
    if options.embed:
        _embed_in_this_process(*options.embed)
        return
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        _make_module(folder)
        reached = [] if options.only_growth else _measure_workers(folder, options.rows)
        reached += _measure_growth(folder, options.growth)
    if not all(reached):
        sys.exit(1)


def _make_module(folder: Path) -> None:
    from examples.text_embeddings.export import export_module_from_file

    export_module_from_file(str(DATA / "glove.6B.50d.top10000.txt.gz"), str(folder / "module"))


def _read_sentences() -> list[str]:
    from examples.text_embeddings.sentiment import read_examples

    return list(read_examples(str(DATA / "sentences.tsv")).sentences)


def _write_corpus(folder: Path, rows: int) -> Path:
    sentences = _read_sentences()
    path = folder / f"corpus-{rows}.txt"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{sentences[row % len(sentences)]}\n" for row in range(rows))
    return path


def _measure_workers(folder: Path, rows: int) -> list[bool]:
    corpus = _write_corpus(folder, rows)
    texts = corpus.read_text(encoding="utf-8").splitlines()
    batches = [texts[start : start + BATCH] for start in range(0, rows, BATCH)]
    module = str(folder / "module")
    ways: dict[str, Callable[[], Any]] = {
        "a bare session": _make_bare_session(module, batches),
        "ModuleHandler": _make_handler(module, batches),
        "RunInference in a pipeline": lambda: _run_inference(module, texts),
        "embed_corpus": lambda: _embed(corpus, module),
        "embed_corpus without the module": lambda: _embed(corpus, module, is_bare=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, run in ways.items():
            started, cpu_started = time.perf_counter(), time.process_time()
            run()
            if number:  # The first round makes everything ready.
                seconds[name].append(time.perf_counter() - started)
                cpu[name].append(time.process_time() - cpu_started)
    for name, values in seconds.items():
        print(f"{name}: {rows / statistics.median(values):,.0f} sentences per second")
    # Other load on the machine changes the processor time less than the wall-clock time.
    ratio = statistics.median(cpu["a bare session"]) / statistics.median(cpu["ModuleHandler"])
    return [
        _print_verdict("ModuleHandler of a bare session (CPU)", ratio, LEAST_OF_BARE_SESSION),
        _measure_two_workers(folder, module),
    ]


def _make_bare_session(module: str, batches: Sequence[list[str]]) -> Callable[[], None]:
    import tensorflow as tf

    import hubmodule as hub

    v1 = tf.compat.v1
    graph = tf.Graph()
    with graph.as_default():
        sentences = v1.placeholder(tf.string, [None])
        vectors = hub.Module(module)(sentences)
        initialisers = [v1.global_variables_initializer(), v1.tables_initializer()]
    session = v1.Session(graph=graph)
    session.run(initialisers)

    def run() -> None:
        for batch in batches:
            session.run(vectors, {sentences: batch})

    return run


def _make_handler(module: str, batches: Sequence[list[str]]) -> Callable[[], None]:
    from hubmodule.beam import ModuleHandler

    handler = ModuleHandler(module)
    model = handler.load_model()

    def run() -> None:
        for batch in batches:
            handler.run_inference(batch, model)
            handler.get_num_bytes(batch)

    return run


def _run_inference(module: str, texts: Sequence[str]) -> None:
    import apache_beam as beam
    from apache_beam.ml.inference.base import RunInference

    from hubmodule.beam import ModuleHandler

    with beam.Pipeline() as pipeline:
        results = pipeline | beam.Create(texts) | RunInference(ModuleHandler(module))
        _ = results | beam.combiners.Count.Globally()


def _embed(corpus: Path, module: str, is_bare: bool = False, workers: int = 0) -> None:
    import numpy as np
    from apache_beam.options.pipeline_options import PipelineOptions

    from examples.text_embeddings import embed_corpus
    from examples.text_embeddings.corpus import Corpus

    class WithoutModule(embed_corpus.EmbedParts):
        def setup(self) -> None:
            self._loaded = lambda texts: np.zeros([len(texts), 50], np.float32)

    arguments = [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"]
    options = PipelineOptions(arguments if workers else [])
    make_parts = embed_corpus.EmbedParts
    if is_bare:
        embed_corpus.EmbedParts = WithoutModule  # type: ignore[misc]
    try:
        with tempfile.TemporaryDirectory(dir=corpus.parent) as output:
            run = embed_corpus.Run(
                Corpus((str(corpus),), "lines"), module, output, rows_per_part=50_000
            )
            embed_corpus.embed_corpus(run, options)
    finally:
        embed_corpus.EmbedParts = make_parts  # type: ignore[misc]


def _measure_two_workers(folder: Path, module: str) -> bool:
    """Measures worker processes, beyond the time that they take to start."""
    few, many = _write_corpus(folder, 100), _write_corpus(folder, ROWS_OF_TWO_WORKERS)
    rates = []
    for workers in (1, 2):
        seconds = []
        for corpus in (few, many):
            started = time.perf_counter()
            _embed(corpus, module, workers=workers)
            seconds.append(time.perf_counter() - started)
        rates.append(ROWS_OF_TWO_WORKERS / (seconds[1] - seconds[0]))
        print(
            f"embed_corpus, worker processes: {workers}: {rates[-1]:,.0f} sentences per second, "
            f"after {seconds[0]:.1f} s to start"
        )
    free = _measure_free_processors()
    print(f"Two workers: {rates[1] / rates[0]:.2f} of one; processes that only count: {free:.2f}")
    if free < LEAST_FREE:
        print("Two workers: not judged, as two processors are not free")
        return True
    return _print_verdict("Two workers of one", rates[1] / rates[0], LEAST_OF_TWO_WORKERS)


def _measure_free_processors() -> float:
    """Returns how many times as much two processes count as one does."""
    program = "import time; e = time.time() + 2; n = 0\nwhile time.time() < e: n += 1\nprint(n)"
    counts = []
    for workers in (1, 2):
        processes = [
            subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
            for _ in range(workers)
        ]
        counts.append(sum(int(process.communicate()[0]) for process in processes))
    return counts[1] / counts[0]


def _measure_growth(folder: Path, sizes: Sequence[int]) -> list[bool]:
    per_million, peaks = [], []
    for rows in sizes:
        corpus = _write_corpus(folder, rows)
        command = [sys.executable, "-m", "benchmarks.corpus_throughput", "--embed"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [*command, str(corpus), str(folder / "module"), str(rows)],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        found = json.loads(done.stdout.splitlines()[-1])
        per_million.append(found["seconds"] * 1e6 / rows)
        peaks.append(found["peak"])
        print(f"{rows:,} rows: {per_million[-1]:.1f} s per million, {peaks[-1]:,.0f} MB at most")
    if len(sizes) < 2:
        return []
    times, memory = per_million[-1] / per_million[0], peaks[-1] / peaks[0]
    print(f"Growth: time per row {times:.2f} times, memory {memory:.2f} times")
    return [times <= MOST_GROWTH and memory <= MOST_GROWTH]


def _embed_in_this_process(corpus: str, module: str, rows: str) -> None:
    import resource

    # The time to load the module is not that of rows.
    few = _write_corpus(Path(corpus).parent, min(1000, int(rows) // 2))
    _embed(few, module)
    started = time.perf_counter()
    _embed(Path(corpus), module)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"seconds": seconds, "peak": peak}))


def _print_verdict(what: str, ratio: float, least: float) -> bool:
    reached = ratio >= least
    print(f"{what}: {ratio:.2f}; target {least}: {'holds' if reached else 'fails'}")
    return reached


if __name__ == "__main__":
    main()

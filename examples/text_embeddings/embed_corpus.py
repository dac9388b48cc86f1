"""Embeds a corpus with a module, on one machine or many, by Apache Beam.

    python embed_corpus.py --input='/corpus/*.txt' --module=/modules/glove --output=/vectors

Reads text lines, TSV or Parquet, and writes Parquet files with an id and a vector per row. If it is
stopped, the same command continues: it neither loses nor repeats rows. The options of Beam choose
where it runs, e.g. --runner=DataflowRunner; the default is this process, and

    --direct_num_workers=2 --direct_running_mode=multi_processing

makes it two processes of this machine.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

if not __package__:  # run as a program
    _ROOT = str(Path(__file__).resolve().parents[2])
    sys.path.insert(0, _ROOT)
    # Beam starts workers on this machine, which import the other files.
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import apache_beam as beam
import numpy as np
from apache_beam.metrics import Metrics
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.utils import shared
from tqdm import tqdm

import hubmodule as hub
from examples.text_embeddings.corpus import (
    FORMATS,
    Corpus,
    Part,
    find_corpus,
    list_parts,
    read_part,
)
from examples.text_embeddings.progress import is_shown
from examples.text_embeddings.vector_files import (
    count_rows,
    describe_run,
    list_finished,
    write_part,
)

_NAMESPACE = "embed_corpus"
_ROWS_PER_GROUP = 16_384
_SECONDS_BETWEEN_LOOKS = 0.5


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run embeds, and how.

    Attributes:
        corpus: The corpus.
        module: The handle of the module, from texts to vectors of shape [batch, dimension].
        output: The directory of the vectors, on any file system of Beam.
        rows_per_part: The most rows of a part of a text file; each part becomes a file.
        batch_size: The number of texts that the module gets at a time.
        lower_case: Whether to make texts lower case first.
        keep_text: Whether the output has the texts, too.
        signature: The signature of the module; None means "default".
        output_name: The output of the module; None means "default".
    """

    corpus: Corpus
    module: str
    output: str
    rows_per_part: int = 100_000
    batch_size: int = 1024
    lower_case: bool = False
    keep_text: bool = False
    signature: str | None = None
    output_name: str | None = None


@dataclasses.dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        rows: The number of rows of the output.
        parts: The number of parts of the output.
        rows_found: The number of rows that an earlier run had written.
        seconds: How long the run took.
    """

    rows: int
    parts: int
    rows_found: int
    seconds: float

    def __str__(self) -> str:
        new = self.rows - self.rows_found
        found = f", {self.rows_found:,} of an earlier run" if self.rows_found else ""
        return (
            f"{self.rows:,} rows in {self.parts:,} files{found}; {self.seconds:,.1f} s, "
            f"{new / max(self.seconds, 1e-9):,.0f} rows per second"
        )


class EmbedParts(beam.DoFn):
    """Embeds parts of a corpus, and writes each into a file.

    Args:
        run: The run.
    """

    def __init__(self, run: Run):
        self._run = run
        self._shared = shared.Shared()
        self._rows = Metrics.counter(_NAMESPACE, "rows")
        self._bytes = Metrics.counter(_NAMESPACE, "bytes_of_text")
        self._parts = Metrics.counter(_NAMESPACE, "parts")
        self._milliseconds = Metrics.distribution(_NAMESPACE, "milliseconds_per_part")

    def setup(self) -> None:
        """Gets the module, which the threads of a process share."""
        self._loaded = self._shared.acquire(self._make_applier)

    def _make_applier(self) -> hub.ModuleApplier:
        run = self._run
        return hub.ModuleApplier(run.module, run.signature, output=run.output_name)

    def process(self, part: Part) -> Iterator[tuple[int, int]]:
        """Embeds a part; returns its number, and its number of rows."""
        started = time.monotonic()
        rows = write_part(self._run.output, part.number, self._embed(part))
        self._milliseconds.update(round(1000 * (time.monotonic() - started)))
        self._parts.inc()
        yield part.number, rows

    def _embed(self, part: Part) -> Iterator[tuple[Sequence[Any], np.ndarray, list[str] | None]]:
        run = self._run
        for rows in read_part(run.corpus, part, _ROWS_PER_GROUP):
            texts = rows.texts
            if run.lower_case:
                texts = [text.decode(errors="replace").lower().encode() for text in texts]
            starts = range(0, len(texts), run.batch_size)
            vectors = [self._loaded(texts[start : start + run.batch_size]) for start in starts]
            kept = [text.decode(errors="replace") for text in rows.texts] if run.keep_text else None
            yield rows.ids, np.concatenate(vectors), kept
            self._rows.inc(len(texts))
            self._bytes.inc(sum(map(len, texts)))


def embed_corpus(
    run: Run,
    options: PipelineOptions | None = None,
    progress: bool | None = False,
) -> Summary:
    """Embeds what an earlier run has not embedded.

    Args:
        run: What to embed.
        options: The options of the pipeline; None runs it in this process.
        progress: Whether to show on standard error how many rows are done; None shows it on a
            terminal.

    Raises:
        ValueError: If the directory has vectors of another run, or a row lacks a column.
        RuntimeError: If the pipeline fails; the parts that are done stay.
    """
    started = time.monotonic()
    parts = list_parts(run.corpus, run.rows_per_part)
    describe_run(run.output, _describe(run, parts))
    finished = list_finished(run.output)
    missing = [part for part in parts if part.number not in finished]
    with _Progress(run.output, parts, progress):
        _run_pipeline(run, missing, options)
    rows = _check_output(run.output, parts)
    found = sum(part.rows for part in parts) - sum(part.rows for part in missing)
    return Summary(rows, len(parts), found, time.monotonic() - started)


def _describe(run: Run, parts: Sequence[Part]) -> dict[str, object]:
    """Returns what decides about the content of the output, for JSON."""
    return {
        "module": run.module,
        "input": list(run.corpus.files),
        "format": run.corpus.format,
        "text_column": run.corpus.text_column,
        "id_column": run.corpus.id_column,
        "rows_per_part": run.rows_per_part,
        "rows": sum(part.rows for part in parts),
        "lower_case": run.lower_case,
        "keep_text": run.keep_text,
        "signature": run.signature,
        "output_name": run.output_name,
    }


def _run_pipeline(run: Run, parts: Sequence[Part], options: PipelineOptions | None) -> None:
    if not parts:
        return
    try:
        _build_and_run(run, parts, options)
    except RuntimeError as error:
        if "Channel closed" not in str(error):
            raise
        raise RuntimeError(
            "A worker process ended before its part was done; the system may have killed it "
            "because memory ran out."
        ) from error


def _build_and_run(run: Run, parts: Sequence[Part], options: PipelineOptions | None) -> None:
    with beam.Pipeline(options=options) as pipeline:
        # Without the shuffle a runner may give all parts to one worker.
        _ = (
            pipeline
            | "Parts" >> beam.Create(list(parts))
            | "Spread" >> beam.Reshuffle()
            | "Embed" >> beam.ParDo(EmbedParts(run))
            # Beam's DirectRunner waits for ever for a worker that was killed, unless the worker
            # owes it elements.
            | "Count" >> beam.combiners.Count.Globally()
        )


def _check_output(output: str, parts: Sequence[Part]) -> int:
    """Returns the number of rows of the output, which must be those of the corpus."""
    finished = list_finished(output)
    for part in parts:
        rows = count_rows(finished[part.number]) if part.number in finished else 0
        if rows != part.rows:
            raise RuntimeError(
                f"Part {part.number} has {rows} rows in {output}, and {part.rows} in "
                f"{part.file}. Delete its file, and run the command again."
            )
    return sum(part.rows for part in parts)


class _Progress:
    """Shows how many rows are done, from the files that are there: so for every runner."""

    def __init__(self, output: str, parts: Sequence[Part], wanted: bool | None):
        self._output = output
        self._rows = {part.number: part.rows for part in parts}
        self._is_shown = is_shown(wanted)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        if self._is_shown:
            self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._stopped.set()
        if self._is_shown:
            self._thread.join()

    def _look(self) -> None:
        total = sum(self._rows.values())
        with tqdm(total=total, unit=" rows", unit_scale=True, file=sys.stderr) as bar:
            is_last = False
            while not is_last:
                is_last = self._stopped.wait(_SECONDS_BETWEEN_LOOKS)
                finished = list_finished(self._output)
                bar.update(sum(self._rows.get(number, 0) for number in finished) - bar.n)


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of the arguments that are not those of Beam."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--input", required=True, help="a path, or a pattern with *")
    parser.add_argument("--module", required=True, help="the handle of a text module")
    parser.add_argument("--output", required=True, help="the directory of the vectors")
    parser.add_argument("--format", choices=FORMATS, help="default: from the names of the files")
    parser.add_argument("--text_column", help="TSV: a number, from 0; Parquet: a name")
    parser.add_argument("--id_column", help="likewise; default: the number of the row is the id")
    parser.add_argument("--signature", help="the signature of the module; default: default")
    parser.add_argument("--output_name", help="the output of the module; default: default")
    parser.add_argument("--rows_per_part", type=int, default=Run.rows_per_part)
    parser.add_argument("--batch_size", type=int, default=Run.batch_size)
    parser.add_argument("--lower_case", action="store_true", help="make texts lower case")
    parser.add_argument("--keep_text", action="store_true", help="write the texts, too")
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="show progress on standard error; default: on a terminal",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Embeds a corpus as the arguments say, or ends the program with a message."""
    known, of_beam = make_parser().parse_known_args(arguments)
    try:
        corpus = find_corpus(known.input, known.format, known.text_column, known.id_column)
        run = Run(
            corpus,
            known.module,
            known.output,
            rows_per_part=known.rows_per_part,
            batch_size=known.batch_size,
            lower_case=known.lower_case,
            keep_text=known.keep_text,
            signature=known.signature,
            output_name=known.output_name,
        )
        summary = embed_corpus(run, PipelineOptions(of_beam), known.progress)
    except (hub.HubModuleError, OSError, RuntimeError, ValueError) as error:
        sys.exit(
            f"Stopped: {error}\nFiles that are done stay in {known.output}; the same command "
            "continues."
        )
    print(summary)


if __name__ == "__main__":
    main()

"""Keeps the vectors of a corpus: a Parquet file for each part, which appears when complete."""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

_DESCRIPTION = "corpus.json"
_PART = re.compile(r"part-(\d{6})\.parquet")
# Without a dot, which patterns of local file systems would leave out.
_UNFINISHED = "unfinished-"


def describe_run(directory: str, description: dict[str, Any]) -> None:
    """Writes what the files of a directory are made from, or compares it with an earlier run.

    Also removes what a run that was stopped left unfinished. Only one run at a time may write
    to a directory.

    Raises:
        ValueError: If the directory has vectors that were made from something else.
    """
    if not FileSystems.exists(directory):
        FileSystems.mkdirs(directory)
    unfinished = [name for name in _list_names(directory) if name.startswith(_UNFINISHED)]
    if unfinished:
        FileSystems.delete([FileSystems.join(directory, name) for name in unfinished])
    path = FileSystems.join(directory, _DESCRIPTION)
    if not FileSystems.exists(path):
        _write_whole(path, json.dumps(description, indent=1).encode())
        return
    earlier = read_description(directory)
    differing = sorted(k for k in description if description[k] != earlier.get(k))
    if differing:
        raise ValueError(
            f"{directory} has vectors that were made with other values of {', '.join(differing)}. "
            "Give another --output, or delete that directory."
        )


def read_description(directory: str) -> dict[str, Any]:
    """Reads what describe_run() wrote."""
    with FileSystems.open(FileSystems.join(directory, _DESCRIPTION)) as file:
        return dict(json.loads(file.read()))


def list_finished(directory: str) -> dict[int, str]:
    """Returns the paths of the files that are complete, by the number of the part."""
    names = sorted(_list_names(directory))
    matches = [match for match in map(_PART.fullmatch, names) if match]
    return {int(match[1]): FileSystems.join(directory, match[0]) for match in matches}


def write_part(
    directory: str, number: int, groups: Iterable[tuple[Any, np.ndarray, list[str] | None]]
) -> int:
    """Writes the file of a part, and returns its number of rows.

    Args:
        directory: The directory of the files.
        number: The number of the part.
        groups: For each row group the ids, the vectors (of shape [rows, dimension]), and the
            texts, or None to keep no texts.
    """
    path = FileSystems.join(directory, f"part-{number:06d}.parquet")
    unfinished = FileSystems.join(directory, f"{_UNFINISHED}{uuid.uuid4().hex}")
    rows = 0
    with contextlib.ExitStack() as open_files:
        packing = CompressionTypes.UNCOMPRESSED
        file = open_files.enter_context(FileSystems.create(unfinished, compression_type=packing))
        writer = None
        for ids, vectors, texts in groups:
            table = _make_table(ids, vectors, texts)
            if writer is None:
                writer = open_files.enter_context(
                    # The values of vectors do not repeat, so a dictionary takes time for nothing.
                    pq.ParquetWriter(file, table.schema, use_dictionary=["text"])
                )
            writer.write_table(table)
            rows += len(table)
    FileSystems.rename([unfinished], [path])
    return rows


def _make_table(ids: Any, vectors: np.ndarray, texts: list[str] | None) -> pa.Table:
    if vectors.ndim != 2:
        raise ValueError(
            f"The output of the module has the shape {vectors.shape}; a corpus needs a vector for "
            "each row, an output of shape [batch, dimension]."
        )
    flat = pa.array(vectors.reshape(-1))
    ids = np.arange(ids.start, ids.stop) if isinstance(ids, range) else ids
    columns = {"id": pa.array(ids)}
    if texts is not None:
        columns["text"] = pa.array(texts, pa.string())
    columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table(columns)


def read_vectors(path: str) -> Iterator[tuple[list[Any], list[str | None], np.ndarray]]:
    """Reads the ids, texts and vectors of each row group of a file."""
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        for batch in pq.ParquetFile(file).iter_batches():
            has_texts = "text" in batch.schema.names
            texts = batch.column("text").to_pylist() if has_texts else [None] * len(batch)
            vectors = batch.column("vector")
            matrix = vectors.flatten().to_numpy().reshape(len(batch), -1)
            yield batch.column("id").to_pylist(), texts, matrix


def count_rows(path: str) -> int:
    """Returns the number of rows of a file, from its footer."""
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        return int(pq.ParquetFile(file).metadata.num_rows)


def _list_names(directory: str) -> list[str]:
    (match,) = FileSystems.match([FileSystems.join(directory, "*")])
    return [metadata.path.rpartition("/")[2] for metadata in match.metadata_list]


def _write_whole(path: str, content: bytes) -> None:
    directory = path.rpartition("/")[0]
    unfinished = FileSystems.join(directory, f"{_UNFINISHED}{uuid.uuid4().hex}")
    with FileSystems.create(unfinished, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file.write(content)
    FileSystems.rename([unfinished], [path])

"""Searches the vectors of embed_corpus.py for texts of similar meaning.

    python search_corpus.py index /vectors
    python search_corpus.py query /vectors "the battery does not last"

The index is a graph of near neighbours (HNSW, by faiss), so a query reads a small part of the
vectors, and may miss a neighbour. Similarity is the cosine of the angle between vectors.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a program
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import faiss
import numpy as np

import hubmodule as hub
from examples.text_embeddings.vector_files import list_finished, read_description, read_vectors

_INDEX = "index.faiss"
_ROWS = "index.jsonl"
_LINKS = 32
_CANDIDATES_WHEN_BUILDING = 200
_CANDIDATES_WHEN_SEARCHING = 128


@dataclasses.dataclass(frozen=True)
class Hit:
    """A row that a query found.

    Attributes:
        similarity: The cosine of the angle between the vectors, from -1 to 1.
        id: The id of the row.
        text: The text of the row; None if embed_corpus.py did not keep it.
    """

    similarity: float
    id: int | str
    text: str | None


def build_index(directory: str) -> int:
    """Makes the index of the vectors in a local directory, and returns their number.

    Raises:
        FileNotFoundError: If the directory has no vectors.
    """
    index = None
    with open(os.path.join(directory, f".{_ROWS}"), "w", encoding="utf-8") as rows:
        for path in list_finished(directory).values():
            for ids, texts, vectors in read_vectors(path):
                if index is None:
                    index = faiss.IndexHNSWFlat(
                        vectors.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT
                    )
                    index.hnsw.efConstruction = _CANDIDATES_WHEN_BUILDING
                index.add(_normalise(vectors))
                rows.writelines(
                    json.dumps([id, text]) + "\n" for id, text in zip(ids, texts, strict=True)
                )
    if index is None:
        raise FileNotFoundError(f"{directory} has no vectors; make some with embed_corpus.py.")
    faiss.write_index(index, os.path.join(directory, f".{_INDEX}"))
    for name in (_ROWS, _INDEX):
        os.replace(os.path.join(directory, f".{name}"), os.path.join(directory, name))
    return int(index.ntotal)


class Search:
    """An index in memory, and the module that its vectors were made with.

    Args:
        directory: A directory with an index.

    Raises:
        FileNotFoundError: If the directory has no index.
    """

    def __init__(self, directory: str):
        path = os.path.join(directory, _INDEX)
        if not os.path.exists(path):
            raise FileNotFoundError(f"{path} is missing: python search_corpus.py index {directory}")
        self._index = faiss.read_index(path)
        self._index.hnsw.efSearch = _CANDIDATES_WHEN_SEARCHING
        with open(os.path.join(directory, _ROWS), encoding="utf-8") as rows:
            self._rows = [json.loads(line) for line in rows]
        description = read_description(directory)
        self._is_lower_case = bool(description["lower_case"])
        self._embed = hub.ModuleApplier(
            description["module"], description["signature"], output=description["output_name"]
        )

    def find(self, queries: Sequence[str], count: int = 5) -> list[list[Hit]]:
        """Returns the rows that are most similar to each query, the most similar first."""
        texts = [query.lower() for query in queries] if self._is_lower_case else list(queries)
        similarities, numbers = self._index.search(_normalise(self._embed(texts)), count)
        return [
            [
                Hit(float(similarity), *self._rows[number])
                for similarity, number in zip(*found, strict=True)
                if number >= 0  # -1 fills up if there are fewer rows.
            ]
            for found in zip(similarities, numbers, strict=True)
        ]


def _normalise(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes an index or searches it, or ends the program with a message."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    index = commands.add_parser("index", help="make the index of a directory of vectors")
    index.add_argument("directory")
    query = commands.add_parser("query", help="find rows of similar meaning")
    query.add_argument("directory")
    query.add_argument("text", nargs="+")
    query.add_argument("--count", type=int, default=5, help="how many rows to find")
    known = parser.parse_args(arguments)
    try:
        if known.command == "index":
            print(f"{build_index(known.directory):,} vectors are in the index")
            return
        found = Search(known.directory).find(known.text, known.count)
    except (hub.HubModuleError, OSError, ValueError) as error:
        sys.exit(f"Stopped: {error}")
    for text, hits in zip(known.text, found, strict=True):
        print(text)
        for hit in hits:
            print(f"  {hit.similarity:.3f}  {hit.id}  {'' if hit.text is None else hit.text}")


if __name__ == "__main__":
    main()

"""search_corpus.py: an approximate index of the sentences of the demo."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.skipping import skip_without

skip_without("apache_beam", __name__)
skip_without("faiss", __name__)

from examples.text_embeddings import embed_corpus, export, search_corpus
from examples.text_embeddings.corpus import find_corpus
from examples.text_embeddings.vector_files import list_finished, read_vectors

DATA = Path(embed_corpus.__file__).parent / "data"


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """A directory with the vectors of the demo's sentences, and their index."""
    directory = tmp_path_factory.mktemp("search")
    glove = str(directory / "glove")
    export.export_module_from_file(str(DATA / "glove.6B.50d.top10000.txt.gz"), glove)
    corpus = find_corpus(str(DATA / "sentences.tsv"), None, "2", None)
    run = embed_corpus.Run(
        corpus,
        glove,
        str(directory / "vectors"),
        rows_per_part=1000,
        lower_case=True,
        keep_text=True,
    )
    assert embed_corpus.embed_corpus(run).rows == 3000
    assert search_corpus.build_index(run.output) == 3000
    return run.output


def test_a_sentence_is_found_in_other_case(vectors):
    text = "The phone gets extremely hot!"
    ((first, second),) = search_corpus.Search(vectors).find([text], 2)
    assert (first.text, round(first.similarity, 3)) == ("The phone gets EXTREMELY HOT!", 1.0)
    assert second.similarity < first.similarity


def test_the_index_finds_what_a_comparison_with_all_finds(vectors):
    found = [rows for path in list_finished(vectors).values() for rows in read_vectors(path)]
    ids = np.concatenate([rows[0] for rows in found])
    matrix = np.concatenate([rows[2] for rows in found])
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
    texts = [text for rows in found for text in rows[1]]
    queries = range(0, 3000, 30)
    hits = search_corpus.Search(vectors).find([texts[query] for query in queries], 10)
    # Of sentences with the same words, each is as near.
    nearest = np.sort(matrix[list(queries)] @ matrix.T, axis=1)[:, :-11:-1]
    as_near = [
        np.sum([hit.similarity for hit in of_query] >= limits[-1] - 1e-5)
        for of_query, limits in zip(hits, nearest, strict=True)
    ]
    assert np.mean(as_near) / 10 >= 0.98
    assert {hit.id for of_query in hits for hit in of_query} <= set(ids.tolist())


def test_as_a_program(vectors, capsys):
    search_corpus.main(["index", vectors])
    assert capsys.readouterr().out == "3,000 vectors are in the index\n"
    search_corpus.main(["query", vectors, "the battery is bad", "--count", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "the battery is bad"
    assert len(lines) == 4
    assert "battery" in "".join(lines[1:])


def test_without_an_index(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"index.faiss is missing: python search_corpus.py"):
        search_corpus.Search(str(tmp_path))


def test_without_vectors(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no vectors"):
        search_corpus.build_index(str(tmp_path))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

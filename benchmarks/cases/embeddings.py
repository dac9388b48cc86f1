"""Publishing the word vectors of GloVe from text, beyond importing TensorFlow.

With tensorflow_hub it is done as its exporter did: lines are split in Python, the matrix
is fed to a variable, and the module is exported from a session.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.measuring import Measurement
from benchmarks.targets import AtMost, TimesLess

tf1 = tf.compat.v1

TITLE = "publish GloVe, 400,000 x 50 from text"
MODULES = ["glove"]
# 700 MB for the whole process, with TensorFlow.
TARGETS = [TimesLess(5), AtMost(700e6, "process")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Publishes the file."""
    text = str(folder / "glove")
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        path = os.path.join(directory, "module")
        if library == "hubmodule":
            with measurement():
                export = importlib.import_module("examples.text_embeddings.export")
                export.export_module_from_file(text, path)
        else:
            hub = importlib.import_module(library)
            with measurement():
                _publish(hub, text, path, os.path.join(directory, "tokens.txt"))


def _publish(hub: Any, text: str, path: str, vocabulary_file: str) -> None:
    tokens, vectors = _read(text)
    with tf.io.gfile.GFile(vocabulary_file, "w") as file:
        file.write("\n".join(tokens) + "\n")
    matrix = np.concatenate([vectors, np.zeros([1, vectors.shape[1]], np.float32)])
    spec = hub.create_module_spec(_make_module_fn(vocabulary_file, matrix.shape))
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(spec)
        fed = tf1.placeholder(tf.float32, matrix.shape)
        session.run(tf1.assign(module.variable_map["embeddings"], fed).op, {fed: matrix})
        module.export(path, session)


def _read(text: str) -> tuple[list[str], np.ndarray]:
    tokens, vectors = [], []
    with tf.io.gfile.GFile(text) as file:
        for line in file:
            token, *numbers = line.rstrip("\n").split(" ")
            tokens.append(token)
            vectors.append([float(number) for number in numbers])
    return tokens, np.array(vectors, np.float32)


def _make_module_fn(vocabulary_file: str, shape: tuple[int, ...]) -> Callable[[], Any]:
    hub = importlib.import_module("tensorflow_hub")

    def module_fn() -> None:
        zeros = tf1.zeros_initializer()
        embeddings = tf1.get_variable("embeddings", list(shape), initializer=zeros)
        lines, numbers = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        table = tf.lookup.StaticVocabularyTable(
            tf.lookup.TextFileInitializer(vocabulary_file, tf.string, lines, tf.int64, numbers), 1
        )
        sentences = tf1.placeholder(tf.string, [None])
        words = tf1.string_split(tf.strings.regex_replace(sentences, r"\pP", ""), " ")
        words, _ = tf.sparse.fill_empty_rows(words, "")
        rows = tf.SparseTensor(words.indices, table.lookup(words.values), words.dense_shape)
        output = tf1.nn.embedding_lookup_sparse(embeddings, rows, None, combiner="sqrtn")
        hub.add_signature(inputs={"sentences": sentences}, outputs=output)

    return module_fn

"""Publishes two text modules with the same words: vectors of GloVe, and random vectors.

    python publish_modules.py --output_dir=/modules

makes /modules/glove and /modules/random. Classifiers on the second show what the vectors of the
first are worth.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# TensorFlow reads these at import. It logs a line about oneDNN at every log level.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

if not __package__:  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from examples.text_embeddings.embedding_file import Embeddings, read_embeddings
from examples.text_embeddings.export import export_module

_GLOVE = Path(__file__).parents[1] / "text_embeddings/data/glove.6B.50d.top10000.txt.gz"
# Words that are not among those of GloVe share this many vectors, which are 0 until trained.
_NUM_OOV_BUCKETS = 4000


def publish_modules(output_dir: str, seed: int = 1) -> list[str]:
    """Publishes both modules.

    Args:
        output_dir: The directory for the modules.
        seed: The seed of the random vectors.

    Returns:
        The paths of the modules: the vectors of GloVe, and the random vectors.
    """
    glove = read_embeddings(str(_GLOVE))
    random = np.random.default_rng(seed).normal(0, glove.vectors.std(), glove.vectors.shape)
    both = {"glove": glove, "random": Embeddings(glove.tokens, random.astype(np.float32))}
    for name, embeddings in both.items():
        export_module(embeddings, os.path.join(output_dir, name), num_oov_buckets=_NUM_OOV_BUCKETS)
    return [os.path.join(output_dir, name) for name in both]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program, and returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output_dir", required=True, help="the directory for the modules")
    for path in publish_modules(parser.parse_args(arguments).output_dir):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""functions: signatures as functions of tensors."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
import tensorflow as tf

import hubmodule as hub
from tests.module.graphs import affine, exported


def test_a_tape_follows(tmp_path: Path) -> None:
    module = hub.load(exported(tmp_path / "m", affine))
    [w] = module.trainable_variables
    with tf.GradientTape() as tape:
        y = module([3.0])
    assert tape.gradient(y, w).numpy() == 3.0


def test_threads_may_call_first_at_once(tmp_path: Path) -> None:
    module = hub.load(exported(tmp_path / "m", affine))
    barrier = threading.Barrier(8)
    found = []

    def call(number: float) -> None:
        barrier.wait()
        found.append((number, module([number]).numpy().item()))

    threads = [threading.Thread(target=call, args=(float(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(float(n), 2.0 * n + 1.0) for n in range(8)]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The Estimator example, run as its users run it: alone, and as a cluster."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from examples.text_embeddings import train_estimator
from examples.text_embeddings.embedding_file import Embeddings
from examples.text_embeddings.export import export_module

PROGRAM = Path(__file__).parents[3] / "examples/text_embeddings/train_estimator.py"
WORDS = ["good", "great", "bad", "poor", "the", "food"]
SENTENCES = ["good food", "bad food"]


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """The path of a small text module."""
    path = str(tmp_path_factory.mktemp("modules") / "words")
    vectors = np.random.default_rng(0).normal(size=(len(WORDS), 4)).astype(np.float32)
    export_module(Embeddings(WORDS, vectors), path, num_oov_buckets=100)
    return path


def command(module, model_dir, *arguments):
    return [
        sys.executable,
        str(PROGRAM),
        f"--module={module}",
        f"--model_dir={model_dir}",
        *arguments,
    ]


def latest_checkpoint_step(model_dir):
    checkpoint = tf.train.latest_checkpoint(str(model_dir))
    return int(checkpoint.rpartition("-")[2]) if checkpoint else 0


def variable(model_dir, name):
    return tf.train.load_checkpoint(str(model_dir)).get_tensor(name)


def assert_export_is_trained(module, model_dir):
    """The exported module gives what the last checkpoint gives, and not what it began with."""
    path = train_estimator.find_latest_export(str(model_dir))
    with hub.eval_function_for_module(path) as f, hub.eval_function_for_module(module) as g:
        after, before = f(SENTENCES), g(SENTENCES)
    rows = variable(model_dir, "module/embeddings")
    words = [[WORDS.index(word) for word in sentence.split()] for sentence in SENTENCES]
    np.testing.assert_allclose(after, rows[words].sum(1) / np.sqrt(2), rtol=1e-5)
    assert np.abs(after - before).max() > 1e-3


def test_alone(module, tmp_path):
    done = subprocess.run(
        command(module, tmp_path, "--max_steps=50"), capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    accuracy, path = done.stdout.splitlines()
    assert re.fullmatch(r"accuracy on 600 sentences held out: \d+\.\d%", accuracy)
    assert path == train_estimator.find_latest_export(str(tmp_path))
    assert_export_is_trained(module, tmp_path)


def test_a_frozen_module_is_exported_as_it_is(module, tmp_path):
    arguments = command(module, tmp_path, "--max_steps=2", "--frozen")
    subprocess.run(arguments, capture_output=True, check=True)
    with (
        hub.eval_function_for_module(train_estimator.find_latest_export(str(tmp_path))) as f,
        hub.eval_function_for_module(module) as g,
    ):
        np.testing.assert_array_equal(f(SENTENCES), g(SENTENCES))


def test_a_cluster_whose_tasks_are_killed(module, tmp_path, interruptible):
    """They are started again at once, and all goes on from the checkpoint."""
    arguments = command(module, tmp_path, "--max_steps=6000", "--save_steps=500", "--cluster")
    log = tmp_path / "log"
    killed = ("worker 0", "evaluator 0", "ps 0")
    steps = []

    def goes_on_until(condition):
        steps.append(latest_checkpoint_step(tmp_path))
        return cluster.poll() is not None or condition()

    with log.open("w") as file, running(arguments, file) as cluster:
        wait_until(lambda: goes_on_until(lambda: steps[-1] > 0))
        for name in killed:
            os.kill(processes_of(name, log.read_text())[0], signal.SIGKILL)
        wait_until(
            lambda: goes_on_until(
                lambda: all(len(processes_of(name, log.read_text())) == 2 for name in killed)
            )
        )
        # They did not wait for the chief, which would train to the end without them.
        assert steps[-1] < 6000
        wait_until(lambda: goes_on_until(lambda: False))
    output = log.read_text()
    assert cluster.returncode == 0, output
    for name in killed:
        assert f"{name} has ended with status -9" in output
    # Nobody began anew: that would have written a checkpoint of step 0.
    assert steps == sorted(steps)
    assert latest_checkpoint_step(tmp_path) >= 6000
    assert_export_is_trained(module, tmp_path)
    assert not [pid for pid in re.findall(r"is process (\d+)", output) if alive(int(pid))]


@contextlib.contextmanager
def running(arguments, log):
    """A process that is interrupted, so that it ends its own, if the block fails."""
    with subprocess.Popen(arguments, stdout=log, stderr=log) as process:
        try:
            yield process
        except BaseException:
            process.send_signal(signal.SIGINT)
            raise


def processes_of(name, output):
    return [int(pid) for pid in re.findall(rf"^{name} is process (\d+)$", output, re.MULTILINE)]


def wait_until(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_task_of_a_cluster_has_an_address_of_its_own():
    configs = train_estimator.make_cluster()
    assert list(configs) == ["chief 0", "worker 0", "ps 0", "ps 1", "evaluator 0"]
    cluster = json.loads(configs["ps 1"])["cluster"]
    addresses = [address for job in cluster.values() for address in job]
    assert len(set(addresses)) == 5
    assert json.loads(configs["ps 1"])["task"] == {"type": "ps", "index": 1}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

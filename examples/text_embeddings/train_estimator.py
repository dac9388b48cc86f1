"""Trains a classifier of sentences with an Estimator, and exports the module as it learns.

    python train_estimator.py --module=/modules/glove --model_dir=/tmp/model
    python train_estimator.py --module=/modules/glove --model_dir=/tmp/model --cluster

With --cluster the same program runs as five processes on this machine: a chief and a
worker, which train; two parameter servers, which have the variables, the module's too;
and an evaluator, which evaluates and exports. A process that is killed is started again,
and goes on from the last checkpoint.

The module is exported to <model_dir>/export/tf_hub/<time>/sentences, ready for
hub.Module().
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# TensorFlow reads these when it is imported. It speaks of oneDNN even when told to be quiet.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

if not __package__:  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[2]))

import tensorflow as tf

import hubmodule as hub
from examples.text_embeddings.sentiment import Examples, read_examples, split_examples

tf1 = tf.compat.v1

EXPORTER = "tf_hub"
EXPORT_NAME = "sentences"

_DATA = Path(__file__).parent / "data" / "sentences.tsv"
_HELD_OUT = 600
_SPLIT_SEED = 1
_STARTS = 4
_CLUSTER = {"chief": 1, "worker": 1, "ps": 2, "evaluator": 1}


@dataclasses.dataclass(frozen=True)
class Training:
    """How to train.

    Attributes:
      module: The handle of a module with a string input of shape [batch] and an output of
        shape [batch, dimension].
      trainable: Whether to train the module as well.
      max_steps: The global step at which training stops.
      learning_rate: The learning rate of the Adagrad optimiser.
      batch_size: The number of examples per step.
      save_steps: The number of steps between checkpoints, each of which can be evaluated;
        None saves at the end only.
      seed: The seed of the order of the examples.
    """

    module: str
    trainable: bool = True
    max_steps: int = 400
    learning_rate: float = 0.1
    batch_size: int = 32
    save_steps: int | None = None
    seed: int = 0


def make_estimator(
    training: Training, model_dir: str, start: str | None = None
) -> tf.estimator.Estimator:
    """Makes an Estimator of logistic regression on the embeddings that a module computes.

    Args:
      training: How to train.
      model_dir: The directory for the checkpoints.
      start: The model_dir of another Estimator, with whose classifier, without its module,
        this one starts; None starts with zeros.
    """
    config = tf.estimator.RunConfig(
        model_dir,
        tf_random_seed=training.seed,
        save_checkpoints_steps=training.save_steps or training.max_steps,
        save_summary_steps=training.max_steps,
        log_step_count_steps=None,
        experimental_max_worker_delay_secs=0,
    )
    warm_start = tf.estimator.WarmStartSettings(start, "kernel|bias") if start else None
    return tf.estimator.Estimator(
        _model_fn, config=config, params=dataclasses.asdict(training), warm_start_from=warm_start
    )


def _model_fn(
    features: dict[str, tf.Tensor], labels: tf.Tensor | None, mode: str, params: dict[str, Any]
) -> tf.estimator.EstimatorSpec:
    module = hub.Module(params["module"], trainable=params["trainable"])
    hub.register_module_for_export(module, EXPORT_NAME)
    embeddings = module(features["sentence"])
    kernel = tf1.get_variable("kernel", [embeddings.shape[1]], initializer=tf1.zeros_initializer())
    bias = tf1.get_variable("bias", [], initializer=tf1.zeros_initializer())
    logits = tf.linalg.matvec(embeddings, kernel) + bias
    predictions = {"embedding": embeddings, "positive": tf.sigmoid(logits)}
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions)
    # A trainable module adds its losses to the collection that this sums.
    regularization_loss = tf1.losses.get_regularization_loss()
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
    loss = tf.reduce_mean(losses) + regularization_loss
    # Adam would shrink the vectors of words that no example has to zero: it makes steps of the
    # same length of all gradients, and theirs, from the regularisation, are never 0.
    optimizer = tf1.train.AdagradOptimizer(params["learning_rate"], initial_accumulator_value=1e-3)
    metrics = {
        "accuracy": tf1.metrics.accuracy(labels, tf.round(predictions["positive"])),
        "regularization_loss": tf1.metrics.mean(regularization_loss),
    }
    return tf.estimator.EstimatorSpec(
        mode,
        predictions,
        loss,
        optimizer.minimize(loss, tf1.train.get_global_step()),
        eval_metric_ops=metrics,
    )


def train_and_evaluate(
    estimator: tf.estimator.Estimator, training: Examples, held_out: Examples
) -> dict[str, float] | None:
    """Trains, evaluates checkpoints, and exports the module.

    Returns:
      The metrics of the last evaluation; None in a task of a cluster, or if the model had
      reached its last step before.
    """
    params = estimator.params
    train_spec = tf.estimator.TrainSpec(
        make_training_input_fn(training, params["batch_size"], params["seed"]), params["max_steps"]
    )
    exporter = hub.LatestModuleExporter(EXPORTER, _serving_input_fn, exports_to_keep=2)
    eval_spec = tf.estimator.EvalSpec(
        make_evaluation_input_fn(held_out),
        steps=None,
        exporters=[exporter],
        start_delay_secs=1,
        throttle_secs=1,
    )
    result = tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)
    return result[0] if result else None


def find_latest_export(model_dir: str) -> str:
    """Returns the path of the newest export of the module."""
    exports = os.path.join(model_dir, "export", EXPORTER)
    newest = max(filter(str.isdigit, os.listdir(exports)), key=int)
    return os.path.join(exports, newest, EXPORT_NAME)


def make_training_input_fn(
    examples: Examples, size: int, seed: int
) -> Callable[[], tf.data.Dataset]:
    """Makes an input_fn that repeats the examples in batches, each time in another order."""

    def input_fn() -> tf.data.Dataset:
        dataset = _make_dataset(examples).shuffle(len(examples), seed=seed)
        return dataset.batch(size).repeat()

    return input_fn


def make_evaluation_input_fn(examples: Examples) -> Callable[[], tf.data.Dataset]:
    """Makes an input_fn that yields all examples in one batch."""
    return lambda: _make_dataset(examples).batch(len(examples))


def _make_dataset(examples: Examples) -> tf.data.Dataset:
    features = {"sentence": list(examples.sentences)}
    return tf.data.Dataset.from_tensor_slices((features, examples.labels))


def _serving_input_fn() -> tf.estimator.export.ServingInputReceiver:
    sentence = tf1.placeholder(tf.string, [None])
    return tf.estimator.export.ServingInputReceiver({"sentence": sentence}, sentence)


def main() -> int:
    """Runs the program, and returns its exit status."""
    arguments = _make_parser().parse_args()
    if arguments.cluster:
        return run_cluster([a for a in sys.argv[1:] if a != "--cluster"])
    hub.enable_estimator()
    tf.get_logger().setLevel("WARNING")
    training = Training(
        arguments.module,
        not arguments.frozen,
        arguments.max_steps,
        save_steps=arguments.save_steps,
    )
    examples, held_out = split_examples(read_examples(str(_DATA)), _HELD_OUT, _SPLIT_SEED)
    estimator = make_estimator(training, arguments.model_dir)
    metrics = train_and_evaluate(estimator, examples, held_out)
    if metrics:
        print(f"accuracy on {len(held_out)} sentences held out: {metrics['accuracy']:.1%}")
        print(find_latest_export(arguments.model_dir))
    return 0


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--module", required=True, help="the handle of a text module")
    parser.add_argument("--model_dir", required=True, help="where checkpoints and exports go")
    parser.add_argument("--frozen", action="store_true", help="do not train the module itself")
    parser.add_argument("--max_steps", type=int, default=400, help="when to stop; default: 400")
    parser.add_argument("--save_steps", type=int, help="steps between checkpoints")
    parser.add_argument("--cluster", action="store_true", help="run as five processes")
    return parser


def run_cluster(arguments: list[str]) -> int:
    """Runs this program as each task of a cluster, and returns an exit status.

    Starts a task that is killed or fails again, a few times; it continues from the last
    checkpoint. When the chief, the worker and the evaluator are done, ends the parameter
    servers, which would serve for ever.
    """
    command = [sys.executable, os.path.abspath(__file__), *arguments]
    tasks = [Task(name, tf_config, command) for name, tf_config in make_cluster().items()]
    try:
        while not all(task.is_done() or task.serves for task in tasks):
            for task in tasks:
                task.start_again_if_failed()
            time.sleep(0.2)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        for task in tasks:
            task.end()
    return 0


class Task:
    """A process of the cluster.

    Attributes:
      name: The job and its number, "worker 0".
      serves: Whether it is a parameter server, which serves until it is ended.
    """

    def __init__(self, name: str, tf_config: str, command: list[str]):
        self.name = name
        self.serves = name.startswith("ps")
        self._environment = {**os.environ, "TF_CONFIG": tf_config}
        self._command = command
        self._starts_left = _STARTS
        self._start()

    def _start(self) -> None:
        self._starts_left -= 1
        self._process = subprocess.Popen(self._command, env=self._environment)
        print(f"{self.name} is process {self._process.pid}", flush=True)

    def is_done(self) -> bool:
        """Whether the process has ended with status 0."""
        return self._process.poll() == 0

    def start_again_if_failed(self) -> None:
        """Starts the process again if it has failed.

        Raises:
          RuntimeError: If it has failed too often.
        """
        status = self._process.poll()
        if not status:
            return
        print(f"{self.name} has ended with status {status}", flush=True)
        if not self._starts_left:
            raise RuntimeError(f"{self.name} has failed {_STARTS} times")
        self._start()

    def end(self) -> None:
        """Ends the process, if it has not ended."""
        self._process.kill()
        self._process.wait()


def make_cluster() -> dict[str, str]:
    """Makes a TF_CONFIG for each task, on free ports of this machine."""
    with _reserve_ports(sum(_CLUSTER.values())) as ports:
        addresses = iter(f"localhost:{port}" for port in ports)
        cluster = {job: [next(addresses) for _ in range(n)] for job, n in _CLUSTER.items()}
    return {
        f"{job} {index}": json.dumps({"cluster": cluster, "task": {"type": job, "index": index}})
        for job, number in _CLUSTER.items()
        for index in range(number)
    }


@contextlib.contextmanager
def _reserve_ports(number: int) -> Iterator[list[int]]:
    """Reserves free ports until the block ends, so that all differ."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("localhost", 0))
        yield [each.getsockname()[1] for each in sockets]


if __name__ == "__main__":
    sys.exit(main())

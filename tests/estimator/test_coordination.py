"""Tests of hubmodule.estimator.coordination."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow as tf

from hubmodule.estimator import coordination
from tests.estimator.behaviour.models import config
from tests.processes import ROOT, free_port

CLUSTER = {
    "chief": ["host0:1"],
    "evaluator": ["host1:1"],
    "ps": ["host2:1"],
    "worker": ["host3:1", "host4:1"],
}


class Strategy(SimpleNamespace):
    """Stands for a strategy, which is only handed on."""

    def __deepcopy__(self, memo: Any) -> Strategy:
        return self


def strategy(between_graph: bool = True) -> Strategy:
    extended = SimpleNamespace(experimental_between_graph=between_graph)
    return Strategy(extended=extended)


def distribute(**kwargs: Any) -> SimpleNamespace:
    """What an old DistributeConfig is."""
    empty = {"train_distribute": None, "eval_distribute": None, "remote_cluster": None}
    return SimpleNamespace(**{**empty, **kwargs})


def initialised(tf_config: dict[str, Any], train: Any = None, experimental: Any = None) -> Any:
    """A RunConfig after init_run_config."""
    made = config()
    made._train_distribute, made._experimental_distribute = train, experimental
    coordination.init_run_config(Fake(), made, tf_config)
    return made


class Fake:
    """A coordinator that runs everything as one task."""

    def __init__(self, task: Any = None):
        self.calls: list[dict[str, Any]] = []
        self.task = task

    def run(self, train: Any, strategy: Any, evaluate: Any = None, *args: Any, **kwargs: Any):
        self.calls.append(kwargs)
        return (evaluate if self.task.task_type == "evaluator" else train)(strategy)

    def current_task(self) -> Any:
        return self.task


def task(kind: str | None, number: int | None = 0, cluster: Any = CLUSTER) -> SimpleNamespace:
    return SimpleNamespace(
        cluster_spec=tf.train.ClusterSpec(cluster),
        task_type=kind,
        task_id=number,
        master_target="grpc://here:1",
        is_chief=kind in ("chief", None),
    )


def test_without_a_cluster_it_runs_by_itself():
    made = initialised({}, strategy())
    assert made._distribute_coordinator_mode is None
    assert not coordination.should_run_distribute_coordinator(Fake(), made)


def test_as_a_task_of_a_cluster_it_is_coordinated():
    made = initialised({"cluster": CLUSTER, "task": {"type": "worker", "index": 0}}, strategy())
    assert made._distribute_coordinator_mode == "independent_worker"
    assert made.cluster_spec.as_dict() == CLUSTER
    assert coordination.should_run_distribute_coordinator(Fake(), made)


@pytest.mark.parametrize("mode", ["", "parallel", 3, True, b"independent_worker", ["x"]])
def test_a_mode_that_is_not_one_of_the_two_is_not_coordinated(mode, caplog):
    made = SimpleNamespace(
        _distribute_coordinator_mode=mode, cluster_spec=tf.train.ClusterSpec(CLUSTER)
    )
    assert not coordination.should_run_distribute_coordinator(Fake(), made)
    assert f"has the mode {mode!r}, which is neither 'independent_worker'" in caplog.text


def test_a_config_without_a_mode_is_not_coordinated():
    assert not coordination.should_run_distribute_coordinator(Fake(), SimpleNamespace())


def test_a_cluster_with_a_master_runs_as_of_old():
    cluster = {"master": ["host0:1"], "ps": ["host1:1"]}
    made = initialised({"cluster": cluster, "task": {"type": "ps", "index": 0}}, strategy())
    assert made._distribute_coordinator_mode is None
    assert made.task_type == "ps"


def test_a_remote_cluster_has_one_client():
    experimental = distribute(train_distribute=strategy(), remote_cluster=CLUSTER)
    made = initialised({}, experimental=experimental)
    assert made._distribute_coordinator_mode == "standalone_client"
    assert made.cluster_spec.as_dict() == CLUSTER


def test_two_clusters_are_an_error():
    experimental = distribute(train_distribute=strategy(), remote_cluster=CLUSTER)
    with pytest.raises(ValueError, match="TF_CONFIG and by experimental_distribute"):
        initialised({"cluster": CLUSTER}, experimental=experimental)


@pytest.mark.parametrize("name", ["train_distribute", "eval_distribute"])
def test_two_strategies_are_an_error(name):
    made = config()
    setattr(made, f"_{name}", strategy())
    made._experimental_distribute = distribute(**{name: strategy()})
    with pytest.raises(ValueError, match=f"{name} and experimental_distribute.{name}"):
        coordination.init_run_config(Fake(), made, {})


def config_of(task: SimpleNamespace) -> Any:
    """The config that an Estimator has as a task."""
    estimator = SimpleNamespace(_config=config())
    return coordination._copy_for_task(estimator, task, "train", strategy())._config


@pytest.mark.parametrize(
    ("kind", "number", "global_id"),
    [("chief", 0, 0), ("worker", 1, 3), ("ps", 0, 4), (None, None, 0)],
)
def test_each_task_knows_its_place(kind, number, global_id):
    made = config_of(task(kind, number))
    assert (made.num_worker_replicas, made.num_ps_replicas) == (3, 1)
    assert made.global_id_in_cluster == global_id
    assert made.master == made.evaluation_master == "grpc://here:1"
    assert made._distribute_coordinator_mode is None


def test_the_evaluator_is_alone():
    made = config_of(task("evaluator"))
    assert not made.cluster_spec
    assert (made.num_worker_replicas, made.num_ps_replicas) == (0, 0)
    assert made.global_id_in_cluster is None


def test_a_task_of_no_cluster_is_the_only_worker():
    alone = config_of(task(None, None, {}))
    assert (alone.num_worker_replicas, alone.global_id_in_cluster) == (1, 0)


class Estimator:
    """An Estimator that remembers what it was told."""

    def __init__(self, run_config: Any):
        self._config = self.config = run_config
        self._train_distribution = self._eval_distribution = None

    def train(self, **kwargs: Any) -> None:
        calls_made.append((self._config.task_type, kwargs["hooks"], self._train_distribution))


calls_made: list[Any] = []


@pytest.fixture(autouse=True)
def empty_log():
    calls_made.clear()


def test_train_and_evaluate_trains_on_a_worker():
    tf_config = {"cluster": CLUSTER, "task": {"type": "worker", "index": 0}}
    made = initialised(tf_config, strategy())
    spec = SimpleNamespace(hooks=["hook"], input_fn=None, max_steps=1)
    fake = Fake(task("worker"))
    coordination.train_and_evaluate(fake, Estimator(made), spec, None, None)
    assert calls_made == [("worker", ["hook"], made.train_distribute)]
    assert fake.calls[0]["cluster_spec"] is None


def test_train_and_evaluate_evaluates_on_the_evaluator():
    tf_config = {"cluster": CLUSTER, "task": {"type": "evaluator", "index": 0}}
    made = initialised(tf_config, strategy())

    class Executor:
        def __init__(self, estimator: Any, train_spec: Any, eval_spec: Any):
            self.eval_spec = eval_spec

        def _start_continuous_evaluation(self) -> None:
            calls_made.append(self.eval_spec)

    fake = Fake(task("evaluator"))
    coordination.train_and_evaluate(fake, Estimator(made), None, "eval_spec", Executor)
    assert calls_made == ["eval_spec"]


REMOTE = {"chief": ["host0:1"], "worker": ["host1:1"]}


@pytest.mark.parametrize(
    ("name", "strategy_of"),
    [("estimator_train", "train_distribute"), ("estimator_evaluate", "eval_distribute")],
)
def test_single_calls_run_on_a_remote_cluster(name, strategy_of):
    experimental = distribute(
        train_distribute=strategy(False), eval_distribute=strategy(False), remote_cluster=REMOTE
    )
    made = initialised({}, experimental=experimental)
    fake = Fake(task("worker", 0, REMOTE))

    def function(*args: Any) -> str:
        calls_made.append(args[1:])
        return "done"

    call = coordination.ESTIMATOR_CALLS[name]
    assert call(fake, Estimator(made), function, ["hook"]) == "done"
    assert calls_made == [(getattr(made, strategy_of), [])]


@pytest.mark.parametrize(
    ("cluster", "between_graph", "message"),
    [(CLUSTER, False, "evaluator of a cluster"), (REMOTE, True, "Strategy on a remote cluster")],
)
def test_single_calls_that_cannot_run(cluster, between_graph, message):
    experimental = distribute(train_distribute=strategy(between_graph), remote_cluster=cluster)
    made = initialised({}, experimental=experimental)
    with pytest.raises(ValueError, match=f"{message}; use tf.estimator.train_and_evaluate"):
        coordination.run_single_call("train", Fake(), Estimator(made), None, [])


def test_single_calls_cannot_be_one_task_of_a_cluster():
    cluster = {"chief": ["host0:1"], "worker": ["host1:1"]}
    made = initialised({"cluster": cluster, "task": {"type": "worker", "index": 0}}, strategy())
    with pytest.raises(ValueError, match="one task of a cluster"):
        coordination.run_single_call("train", Fake(), Estimator(made), None, [])


def test_two_real_workers_train_one_model(tmp_path):
    program = textwrap.dedent(
        """
        import sys
        import hubmodule as hub
        hub.enable_estimator()
        import tensorflow as tf
        from tests.estimator.behaviour.models import line, line_model, v1
        tf.compat.v1.disable_eager_execution()
        strategy = tf.distribute.experimental.MultiWorkerMirroredStrategy()
        run_config = tf.estimator.RunConfig(sys.argv[1], train_distribute=strategy)
        estimator = tf.estimator.Estimator(line_model, config=run_config, params={})
        tf.estimator.train_and_evaluate(
            estimator, tf.estimator.TrainSpec(line(), max_steps=60), tf.estimator.EvalSpec(line(1))
        )
        print("trained")
        """
    )
    workers = [f"localhost:{free_port()}" for _ in range(2)]
    processes = []
    for index in range(2):
        task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(task), "PYTHONPATH": str(ROOT)}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", program, str(tmp_path)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    try:
        outputs = [process.communicate(timeout=120) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [out.splitlines()[-1:] for out, _ in outputs] == [["trained"]] * 2, outputs[0][1]
    # Read when both have ended: the chief writes the last checkpoint, and the other does not wait.
    reader = tf.train.load_checkpoint(str(tmp_path))
    assert reader.get_tensor("global_step") == 60
    assert reader.get_tensor("w") == pytest.approx(2.0, abs=0.05)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Runs an Estimator under a distribution strategy on the cluster that TF_CONFIG describes.

The Estimator calls these functions. With a cluster and a strategy for training, TensorFlow's
distribute coordinator runs the Estimator; otherwise the Estimator runs by itself.
"""

from __future__ import annotations

import copy
import functools
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

_logger = logging.getLogger("hubmodule")

_ONE_PER_TASK = "independent_worker"
_ONE_FOR_ALL = "standalone_client"

# Methods that run a cluster for one role only.
_SINGLE_CALLS = {"train": "Estimator.train", "eval": "Estimator.evaluate"}


class Coordinator(NamedTuple):
    """TensorFlow's distribute coordinator.

    Attributes:
        run: TensorFlow's run_distribute_coordinator().
        current_task: Function that returns the task of the cluster for which the coordinator has
            called it.
    """

    run: Callable[..., Any]
    current_task: Callable[[], Any]


def init_run_config(coordinator: Coordinator, config: Any, tf_config: dict[str, Any]) -> None:
    """Sets on a RunConfig, in place, whether and how the coordinator runs its Estimator.

    Args:
        coordinator: Not used; all functions in ESTIMATOR_CALLS have this argument.
        config: The tf.estimator.RunConfig.
        tf_config: The parsed environment variable TF_CONFIG.

    Raises:
        ValueError: If a strategy, or the cluster, is given in two places.
    """
    distribute = config._experimental_distribute
    _take_strategy(config, "_train_distribute", distribute and distribute.train_distribute)
    _take_strategy(config, "_eval_distribute", distribute and distribute.eval_distribute)
    config._init_distributed_setting_from_environment_var({})
    cluster = _make_cluster_spec(tf_config.get("cluster"))
    remote_cluster = distribute and distribute.remote_cluster
    config._distribute_coordinator_mode = None
    if config._train_distribute and remote_cluster:
        if cluster:
            raise ValueError(
                "A cluster is given by TF_CONFIG and by experimental_distribute.remote_cluster; "
                "leave one of them out."
            )
        config._distribute_coordinator_mode = _ONE_FOR_ALL
        config._cluster_spec = _make_cluster_spec(remote_cluster)
    elif config._train_distribute and cluster and "master" not in cluster.jobs:
        config._distribute_coordinator_mode = _ONE_PER_TASK
        config._cluster_spec = cluster
    else:
        config._init_distributed_setting_from_environment_var(tf_config)
        config._maybe_overwrite_session_config_for_distributed_training()


def should_run_distribute_coordinator(coordinator: Coordinator, config: Any) -> bool:
    """Whether the distribute coordinator runs `tf.estimator.train_and_evaluate`."""
    mode = getattr(config, "_distribute_coordinator_mode", None)
    if mode is None:
        return False
    if mode not in (_ONE_PER_TASK, _ONE_FOR_ALL):
        _logger.warning(
            "Training runs without the distribute coordinator: the RunConfig has the mode %r, "
            "which is neither %r nor %r.",
            mode,
            _ONE_PER_TASK,
            _ONE_FOR_ALL,
        )
        return False
    return bool(config.cluster_spec)


def train_and_evaluate(
    coordinator: Coordinator,
    estimator: Any,
    train_spec: Any,
    eval_spec: Any,
    executor_class: Callable[..., Any],
) -> None:
    """Trains on each worker of the cluster, and evaluates on its evaluator.

    Args:
        coordinator: The coordinator that runs the tasks.
        estimator: The tf.estimator.Estimator.
        train_spec: The tf.estimator.TrainSpec.
        eval_spec: The tf.estimator.EvalSpec.
        executor_class: The class of the Estimator that evaluates continuously.
    """
    config = estimator.config
    one_per_task = config._distribute_coordinator_mode == _ONE_PER_TASK

    def train(strategy: Any) -> None:
        task = coordinator.current_task()
        local = _copy_for_task(estimator, task, "train", strategy)
        # A client for all tasks has one graph, and the hooks belong to it.
        hooks = list(train_spec.hooks) if one_per_task or task.is_chief else []
        local.train(input_fn=train_spec.input_fn, max_steps=train_spec.max_steps, hooks=hooks)

    def evaluate(strategy: Any) -> None:
        local = _copy_for_task(estimator, coordinator.current_task(), "eval", strategy)
        executor_class(local, train_spec, eval_spec)._start_continuous_evaluation()

    coordinator.run(
        train,
        config.train_distribute,
        evaluate,
        config.eval_distribute,
        mode=config._distribute_coordinator_mode,
        # With a client for each task, the coordinator reads the task and the cluster in TF_CONFIG.
        cluster_spec=None if one_per_task else config.cluster_spec,
        session_config=config.session_config,
    )


def run_single_call(
    role: str,
    coordinator: Coordinator,
    estimator: Any,
    function: Callable[[Any, Any, list[Any]], Any],
    hooks: list[Any],
) -> Any:
    """Runs `Estimator.train` or `Estimator.evaluate` on a remote cluster.

    Args:
        role: "train" or "eval".
        coordinator: The coordinator that runs the tasks.
        estimator: The Estimator whose method the program called.
        function: Function that trains or evaluates as one task; its arguments are the Estimator,
            the strategy and the hooks of the task.
        hooks: The SessionRunHooks of the chief.

    Returns:
        The result of `function`.

    Raises:
        ValueError: If the method cannot run on this cluster, or with this strategy.
    """
    config = estimator.config
    cluster_strategy = getattr(config, f"{role}_distribute")
    _check_single_call(_SINGLE_CALLS[role], config, cluster_strategy)

    def run_task(strategy: Any) -> Any:
        task = coordinator.current_task()
        local = _copy_for_task(estimator, task, role, strategy)
        return function(local, strategy, hooks if task.is_chief else [])

    return coordinator.run(
        run_task,
        cluster_strategy,
        mode=config._distribute_coordinator_mode,
        cluster_spec=config.cluster_spec,
        session_config=config.session_config,
    )


# The functions that the Estimator calls; each takes the Coordinator first.
ESTIMATOR_CALLS: dict[str, Callable[..., Any]] = {
    "init_run_config": init_run_config,
    "should_run_distribute_coordinator": should_run_distribute_coordinator,
    "train_and_evaluate": train_and_evaluate,
    "estimator_train": functools.partial(run_single_call, "train"),
    "estimator_evaluate": functools.partial(run_single_call, "eval"),
}


def _take_strategy(config: Any, attribute: str, strategy: Any) -> None:
    if not strategy:
        return
    if getattr(config, attribute):
        name = attribute.lstrip("_")
        raise ValueError(
            f"{name} and experimental_distribute.{name} are both set; leave one of them out."
        )
    setattr(config, attribute, strategy)


def _make_cluster_spec(cluster: Any) -> Any:
    import tensorflow as tf

    return tf.train.ClusterSpec(cluster or {})


def _copy_for_task(estimator: Any, task: Any, role: str, strategy: Any) -> Any:
    """Copies the Estimator for a role, "train" or "eval", as one task of the cluster."""
    local = copy.deepcopy(estimator)
    config = local._config
    setattr(config, f"_{role}_distribute", strategy)
    setattr(local, f"_{role}_distribution", strategy)
    config._distribute_coordinator_mode = None
    _describe_task(config, task)
    return local


def _describe_task(config: Any, task: Any) -> None:
    cluster = task.cluster_spec or _make_cluster_spec(None)
    jobs = {job: len(cluster.job_tasks(job)) for job in cluster.jobs}
    # The evaluator works alone, from checkpoints.
    in_cluster = bool(jobs) and task.task_type != "evaluator"
    config._service = None
    config._task_type = task.task_type
    config._task_id = task.task_id
    config._is_chief = task.is_chief
    config._master = config._evaluation_master = task.master_target
    config._cluster_spec = cluster if in_cluster else _make_cluster_spec(None)
    config._num_ps_replicas = jobs.get("ps", 0) if in_cluster else 0
    config._num_worker_replicas = _count_workers(jobs, in_cluster)
    config._global_id_in_cluster = _compute_global_id(jobs, task, in_cluster)


def _count_workers(jobs: dict[str, int], in_cluster: bool) -> int:
    if in_cluster:
        return jobs.get("worker", 0) + jobs.get("chief", 0)
    return 0 if jobs else 1


def _compute_global_id(jobs: dict[str, int], task: Any, in_cluster: bool) -> int | None:
    """Computes a task's number in the cluster: the chief, then other jobs by name, then ps."""
    if not jobs:
        return 0
    if not in_cluster:
        return None
    if not task.task_type:
        return 0
    order = sorted(jobs, key=lambda job: (job != "chief", job == "ps", job))
    before = order[: order.index(task.task_type)]
    return sum(jobs[job] for job in before) + task.task_id


def _check_single_call(name: str, config: Any, strategy: Any) -> None:
    advice = "use tf.estimator.train_and_evaluate."
    if "evaluator" in config.cluster_spec.jobs:
        raise ValueError(f"{name} cannot use the evaluator of a cluster; {advice}")
    if config._distribute_coordinator_mode != _ONE_FOR_ALL:
        raise ValueError(f"{name} cannot run as one task of a cluster; {advice}")
    if strategy.extended.experimental_between_graph:
        kind = type(strategy).__name__
        raise ValueError(f"{name} cannot run {kind} on a remote cluster; {advice}")

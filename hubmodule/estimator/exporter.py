"""Exports the modules of an Estimator's model as it trains."""

from __future__ import annotations

import functools
import logging
import os
import posixpath
import re
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hubmodule import files
from hubmodule.errors import CheckpointError, ModuleDefinitionError
from hubmodule.estimator.bridge import enable_estimator
from hubmodule.format import module_def
from hubmodule.module.module import Module

_logger = logging.getLogger("hubmodule")

# A collection of (export name, Module). A key that is no string stays out of MetaGraphDefs.
_REGISTERED = ("hubmodule_modules_for_export",)

_EXPORT_NAME = re.compile(r"[\w\-]+(\.[\w\-]+)*")
_NUMBER = re.compile(r"[0-9]+")


def register_module_for_export(module: Module, export_name: str) -> None:
    """Has LatestModuleExporter export a module; for use in a model_fn.

    Args:
        module: of the graph that the model_fn builds.
        export_name: of the directory that the module is written to.

    Raises:
        ModuleDefinitionError: if the name is taken in this graph, or names no directory.
    """
    if not isinstance(export_name, str) or not _EXPORT_NAME.fullmatch(export_name):
        raise ModuleDefinitionError(
            f"A module cannot be exported as {export_name!r}; name a directory, with letters, "
            "digits, '-', '_' and '.'."
        )
    if any(name == export_name for name, _ in module.graph.get_collection(_REGISTERED)):
        raise ModuleDefinitionError(
            f"There is already a module registered to be exported as {export_name!r} in this "
            "graph; give each module a name of its own."
        )
    module.graph.add_to_collection(_REGISTERED, (export_name, module))


class LatestModuleExporter:
    """Exports the registered modules of a model with the values of a checkpoint.

        exporter = hub.LatestModuleExporter("tf_hub", serving_input_fn)
        eval_spec = tf.estimator.EvalSpec(input_fn, exporters=[exporter])
        tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)

    Calls the model_fn in PREDICT mode, and writes each module that it passes to
    hub.register_module_for_export() to
    `<model_dir>/export/tf_hub/<seconds since 1970>/<export_name>/`.

    An instance is a tf.estimator.Exporter, so making one enables the Estimator.

    Args:
        name: of the directory under `<model_dir>/export`.
        serving_input_fn: returns a ServingInputReceiver, whose features the model_fn gets.
        exports_to_keep: how many exports to keep, the newest; None keeps all.

    Raises:
        EstimatorUnavailableError: if there is no tf.estimator.
        ModuleDefinitionError: if `exports_to_keep` is not positive.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> LatestModuleExporter:
        return super().__new__(_as_exporter(cls))  # type: ignore[arg-type]

    def __init__(
        self, name: str, serving_input_fn: Callable[[], Any], exports_to_keep: int | None = 5
    ):
        if exports_to_keep is not None and exports_to_keep <= 0:
            raise ModuleDefinitionError(
                f"exports_to_keep is {exports_to_keep}, but must be positive, or None to keep all."
            )
        self._name = name
        self._serving_input_fn = serving_input_fn
        self._exports_to_keep = exports_to_keep

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (self._name, self._serving_input_fn, self._exports_to_keep)
        return LatestModuleExporter, arguments

    @property
    def name(self) -> str:
        """The name of the directory under `<model_dir>/export`."""
        return self._name

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str | None = None,
        eval_result: Any = None,
        is_the_final_export: bool | None = None,
    ) -> str | None:
        """Exports the registered modules.

        Args:
            estimator: the tf.estimator.Estimator.
            export_path: of the directory that gets an export, named by the time.
            checkpoint_path: where the values are; None is the latest of the Estimator.
            eval_result: not used.
            is_the_final_export: not used.

        Returns:
            The directory of the export; None if no module is registered.

        Raises:
            CheckpointError: if there is no checkpoint, or it lacks a variable.
        """
        checkpoint = checkpoint_path or estimator.latest_checkpoint()
        if not checkpoint:
            raise CheckpointError(
                f"There is no checkpoint to export in {estimator.model_dir}; train the Estimator "
                "first, or pass checkpoint_path."
            )
        with tf.Graph().as_default() as graph:
            saver = _build_for_prediction(estimator, self._serving_input_fn)
            modules = dict(graph.get_collection(_REGISTERED))
            if not modules:
                _logger.warning(
                    "LatestModuleExporter found no module to export; call "
                    "hub.register_module_for_export(module, name) in the model_fn."
                )
                return None
            path = _free_path(_text(export_path))
            with files.new_directory(path, module_def.FILE_NAME) as directory:
                _write(modules, directory, _text(checkpoint), saver)
        _remove_old(_text(export_path), self._exports_to_keep)
        return path


@functools.cache
def _as_exporter(cls: Any) -> Any:
    """The class as a tf.estimator.Exporter.

    It becomes one only here, so that importing this file needs no Estimator.
    """
    base = enable_estimator().Exporter
    if issubclass(cls, base):
        return cls
    return type(cls.__name__, (cls, base), {"__module__": cls.__module__, "__doc__": cls.__doc__})


def _build_for_prediction(
    estimator: Any, serving_input_fn: Callable[[], Any]
) -> tf.compat.v1.train.Saver | None:
    """Calls the model_fn; returns the Saver with which it wants its variables restored."""
    tf.compat.v1.set_random_seed(estimator.config.tf_random_seed)
    tf.compat.v1.train.get_or_create_global_step()
    features = serving_input_fn().features
    mode = tf.estimator.ModeKeys.PREDICT
    spec = estimator.model_fn(features, None, mode, estimator.config)
    return spec.scaffold.saver if spec.scaffold else None


def _write(
    modules: dict[str, Module],
    directory: str,
    checkpoint: str,
    saver: tf.compat.v1.train.Saver | None,
) -> None:
    """Writes each module to a directory of its own."""
    paths = {name: posixpath.join(directory, name) for name in modules}
    if saver is None:
        for name, module in modules.items():
            module.export_from_checkpoint(paths[name], checkpoint)
        return
    # A Saver of one's own can restore other values, such as moving averages.
    with tf.compat.v1.Session() as session:
        saver.restore(session, checkpoint)
        for name, module in modules.items():
            module.export(paths[name], session)


def _free_path(parent: str) -> str:
    """The first path from the present second on that is free."""
    number = int(time.time())
    while tf.io.gfile.exists(posixpath.join(parent, str(number))):
        number += 1
    return posixpath.join(parent, str(number))


def _remove_old(parent: str, exports_to_keep: int | None) -> None:
    if exports_to_keep is None:
        return
    names = [name.rstrip("/") for name in tf.io.gfile.listdir(parent)]
    numbers = sorted(int(name) for name in names if _NUMBER.fullmatch(name))
    for number in numbers[:-exports_to_keep]:
        tf.io.gfile.rmtree(posixpath.join(parent, str(number)))


def _text(path: str | bytes) -> str:
    """A path as text: the Estimator passes bytes in places."""
    return tf.compat.as_str(os.fspath(path))

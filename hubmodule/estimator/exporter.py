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

_NUMBER = re.compile(r"[0-9]+")


def register_module_for_export(module: Module, export_name: str) -> None:
    """Has LatestModuleExporter export a module; for use in a model_fn.

    Args:
        module: of the graph that the model_fn builds.
        export_name: of the directory that the module is written to; "a/b" is one in another.

    Raises:
        ModuleDefinitionError: if the name is taken in this graph, or names no directory.
    """
    name = _checked_name(export_name)
    taken = [other for other, _ in module.graph.get_collection(_REGISTERED)]
    if name in taken:
        raise ModuleDefinitionError(
            f"There is already a module registered to be exported as {name!r} in this graph; "
            "give each module a name of its own."
        )
    for other in taken:
        if f"{name}/".startswith(f"{other}/") or f"{other}/".startswith(f"{name}/"):
            raise ModuleDefinitionError(
                f"A module cannot be exported as {name!r}, as another is as {other!r}: one would "
                "lie inside the other."
            )
    module.graph.add_to_collection(_REGISTERED, (name, module))


def _checked_name(export_name: Any) -> str:
    """The name as text; it must be the path of a directory inside that of the export."""
    name = tf.compat.as_str(export_name) if isinstance(export_name, (str, bytes)) else ""
    if "\0" in name or not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise ModuleDefinitionError(
            f"A module cannot be exported as {export_name!r}; name a directory, such as 'encoder' "
            "or 'text/encoder'."
        )
    return name


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
        """Makes an instance that is also a tf.estimator.Exporter."""
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
                    "LatestModuleExporter found no module to export; in a model_fn, call "
                    "hub.register_module_for_export(module, name); for a module in a feature "
                    "column, give the column an export_name=."
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
    members = {
        "__module__": cls.__module__,
        "__doc__": cls.__doc__,
        # Under this name pickle finds the class that was given.
        "__reduce__": lambda self: (_new, (cls,), vars(self)),
    }
    return type(cls.__name__, (cls, base), members)


def _new(cls: Any) -> Any:
    return cls.__new__(cls)


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
    exports = [
        name
        for name in names
        if _NUMBER.fullmatch(name) and tf.io.gfile.isdir(posixpath.join(parent, name))
    ]
    for name in sorted(exports, key=int)[:-exports_to_keep]:
        tf.io.gfile.rmtree(posixpath.join(parent, name))


def _text(path: str | bytes) -> str:
    """A path as text: the Estimator passes bytes in places."""
    return tf.compat.as_str(os.fspath(path))

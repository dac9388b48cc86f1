"""Exports the modules of an Estimator's model while it trains."""

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

# A collection of (export name, Module). Its key is not a string, so that no MetaGraphDef has it.
_REGISTERED = ("hubmodule_modules_for_export",)

_NUMBER = re.compile(r"[0-9]+")


def register_module_for_export(module: Module, export_name: str) -> None:
    """Registers a module, in a model_fn, for LatestModuleExporter to export.

        >>> def model_fn(features, labels, mode):
        ...     module = hub.Module("modules/text", trainable=True)
        ...     hub.register_module_for_export(module, "encoder")
        ...     vectors = module(features["text"])  # the model goes on from here
        >>> with tf.Graph().as_default():
        ...     model_fn({"text": ["a text"]}, None, "infer")

    Args:
        module: A Module in the graph that the model_fn builds.
        export_name: Path of the module's directory in the export, e.g. "encoder" or
            "text/encoder".

    Raises:
        ModuleDefinitionError: If the name is taken in this graph, or is not a valid path.
    """
    name = _check_export_name(export_name)
    taken = [other for other, _ in module.graph.get_collection(_REGISTERED)]
    if name in taken:
        raise ModuleDefinitionError(
            f"There is already a module registered to be exported as {name!r} in this graph; "
            "give each module a name of its own."
        )
    for other in taken:
        if f"{name}/".startswith(f"{other}/") or f"{other}/".startswith(f"{name}/"):
            raise ModuleDefinitionError(
                f"A module cannot be exported as {name!r}, because another is exported as "
                f"{other!r}: one would lie inside the other."
            )
    module.graph.add_to_collection(_REGISTERED, (name, module))


def _check_export_name(export_name: Any) -> str:
    """Returns the name as a str, if it is a path inside the directory of the export."""
    name = tf.compat.as_str(export_name) if isinstance(export_name, (str, bytes)) else ""
    if "\0" in name or not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise ModuleDefinitionError(
            f"A module cannot be exported as {export_name!r}; name a directory, such as 'encoder' "
            "or 'text/encoder'."
        )
    return name


class LatestModuleExporter:
    """Exports the registered modules of a model, with variables from a checkpoint.

        >>> def serving_input_fn():
        ...     texts = tf.compat.v1.placeholder(tf.string, [None])
        ...     return tf.estimator.export.ServingInputReceiver({"text": texts}, texts)
        >>> exporter = hub.LatestModuleExporter("tf_hub", serving_input_fn)
        >>> eval_spec = tf.estimator.EvalSpec(input_fn, exporters=[exporter])

    tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec) then exports the modules after
    each evaluation. An export calls the model_fn in PREDICT mode, and writes each module that the
    model_fn passes to hub.register_module_for_export() to
    `<model_dir>/export/tf_hub/<seconds since 1970>/<export_name>/`.

    An instance is a tf.estimator.Exporter, so the constructor enables the Estimator.

    Args:
        name: Name of the exporter's directory in `<model_dir>/export`.
        serving_input_fn: Function without arguments that returns a ServingInputReceiver, whose
            features are passed to the model_fn.
        exports_to_keep: Number of newest exports to keep; None keeps all.

    Raises:
        EstimatorUnavailableError: If tf.estimator is not available.
        ModuleDefinitionError: If `exports_to_keep` is zero or negative.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> LatestModuleExporter:
        """Makes an instance that is also a tf.estimator.Exporter."""
        return super().__new__(_make_exporter_class(cls))  # type: ignore[arg-type]

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

    def __repr__(self) -> str:
        keeps = "all" if self._exports_to_keep is None else self._exports_to_keep
        return f"<hub.LatestModuleExporter {self._name!r}, keeps {keeps} exports>"

    @property
    def name(self) -> str:
        """Name of the exporter's directory in `<model_dir>/export`."""
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
            estimator: The tf.estimator.Estimator whose modules are exported.
            export_path: Directory in which to create the export, named by the current time.
            checkpoint_path: Path of the checkpoint; None takes the Estimator's latest.
            eval_result: Not used.
            is_the_final_export: Not used.

        Returns:
            Path of the export; None if the model does not register a module.

        Raises:
            CheckpointError: If the checkpoint does not exist, or lacks a variable.
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
            path = _find_free_path(_decode_path(export_path))
            with files.make_directory(path, module_def.FILE_NAME) as directory:
                _write(modules, directory, _decode_path(checkpoint), saver)
        _remove_old(_decode_path(export_path), self._exports_to_keep)
        return path


@functools.cache
def _make_exporter_class(cls: Any) -> Any:
    """Returns a subclass of a class that is also a tf.estimator.Exporter.

    The subclass is made at the first use, so that importing this file needs no Estimator.
    """
    base = enable_estimator().Exporter
    if issubclass(cls, base):
        return cls
    members = {
        "__module__": cls.__module__,
        "__doc__": cls.__doc__,
        # pickle finds only the original class by its name.
        "__reduce__": lambda self: (_make_instance, (cls,), vars(self)),
    }
    return type(cls.__name__, (cls, base), members)


def _make_instance(cls: Any) -> Any:
    return cls.__new__(cls)


def _build_for_prediction(
    estimator: Any, serving_input_fn: Callable[[], Any]
) -> tf.compat.v1.train.Saver | None:
    """Calls the model_fn; returns the model's own Saver, or None if it has none."""
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
    # The model's own Saver can restore other values, such as moving averages.
    with tf.compat.v1.Session() as session:
        saver.restore(session, checkpoint)
        for name, module in modules.items():
            module.export(paths[name], session)


def _find_free_path(parent: str) -> str:
    """Returns a new path named by the present time in seconds, or the next free number."""
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


def _decode_path(path: str | bytes) -> str:
    """Converts a path to str; the Estimator sometimes passes bytes."""
    return tf.compat.as_str(os.fspath(path))

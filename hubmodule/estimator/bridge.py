"""Enables `tf.estimator` on TensorFlow 2.16 and newer, which do not contain it.

The package tf-estimator-nightly has its code, but imports some modules that TensorFlow has
removed:

    tensorflow.python.distribute.estimator_training   runs a strategy on a cluster; replaced by
                                                      hubmodule.estimator.coordination
    tensorflow.python.tpu.session_support             TPU only
    tensorflow.python.tpu.tpu_embedding               TPU only
    tensorflow.python.tpu.tpu_embedding_gradient      TPU only

Each module that is missing gets a stand-in; modules that exist are not changed.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

from hubmodule import _requirements
from hubmodule.estimator import coordination, keras2, pandas_inputs
from hubmodule.estimator.namespaces import set_everywhere

_COORDINATION = "tensorflow.python.distribute.estimator_training"
_TPU_ONLY = (
    "tensorflow.python.tpu.session_support",
    "tensorflow.python.tpu.tpu_embedding",
    "tensorflow.python.tpu.tpu_embedding_gradient",
)

_V1 = "tensorflow_estimator._api.v1.estimator"
_V2 = "tensorflow_estimator._api.v2.estimator"

# The names of the Estimator's modules in TensorFlow 2.15 -> the modules in tensorflow_estimator.
_NAMES = {
    "tensorflow.estimator": _V2,
    "tensorflow.compat.v1.estimator": _V1,
    "tensorflow.compat.v2.estimator": _V2,
    "tensorflow.python.estimator": "tensorflow_estimator.python.estimator",
}


def enable_estimator() -> ModuleType:
    """Makes `tf.estimator` and `tf.compat.v1.estimator` work; may be called again.

        >>> estimator = hub.enable_estimator()  # before anything uses tf.keras
        >>> tf.estimator.ModeKeys.TRAIN
        'train'

    Also makes `tf.keras` Keras 2, which the Estimator needs, and lets `pandas_input_fn` read the
    string columns of pandas 3. TensorFlow 2.15 has its own Estimator, and keeps it.

    Returns:
        The namespace `tf.compat.v1.estimator`.

    Raises:
        EstimatorUnavailableError: If tf-estimator-nightly or tf-keras is missing, or the program
            already uses `tf.keras` as Keras 3. The message says what to do.
    """
    has_own = _has_own_estimator()
    if not has_own:
        _check_installed()
    keras2.use_keras_2()
    pandas_inputs.mend_string_columns()
    if has_own:
        import tensorflow as tf

        return tf.compat.v1.estimator
    _fill_gaps()
    namespaces = {name: _import_namespace(name) for name in (_V1, _V2)}
    for namespace in namespaces.values():
        _explain_boosted_trees(namespace)
    for alias, name in _NAMES.items():
        _alias_modules(alias, name)
    set_everywhere("estimator", v1=namespaces[_V1], v2=namespaces[_V2])
    keras2.resolve_lazy_names()
    return namespaces[_V1]


def _has_own_estimator() -> bool:
    """Whether TensorFlow includes the Estimator; imports TensorFlow only if necessary."""
    version = _requirements.get_tensorflow_version()
    if version is None:
        import tensorflow as tf

        version = tf.__version__
    return tuple(map(int, version.split(".")[:2])) < (2, 16)


def _check_installed() -> None:
    """Raises EstimatorUnavailableError if the package of the Estimator is missing."""
    if importlib.util.find_spec("tensorflow_estimator") is None:
        raise _make_error("has no tf.estimator, and tf-estimator-nightly is not installed")


def _fill_gaps() -> None:
    """Installs stand-ins for the modules that the Estimator imports and TensorFlow lacks."""
    if importlib.util.find_spec(_COORDINATION) is None:
        _install(_make_coordination_module())
    for name in _TPU_ONLY:
        if importlib.util.find_spec(name) is None:
            _install(_TpuModule(name))


def _install(module: ModuleType) -> None:
    parent, _, child = module.__name__.rpartition(".")
    module.__spec__ = ModuleSpec(module.__name__, loader=None, origin="hubmodule")
    setattr(importlib.import_module(parent), child, module)
    sys.modules[module.__name__] = module


def _make_coordination_module() -> ModuleType:
    from tensorflow.python.distribute import distribute_coordinator
    from tensorflow.python.distribute import distribute_coordinator_context as contexts

    module = ModuleType(_COORDINATION, "Stand-in by hubmodule.estimator.coordination.")
    coordinator = coordination.Coordinator(
        run=distribute_coordinator.run_distribute_coordinator,
        current_task=contexts.get_current_worker_context,
    )
    for name, call in coordination.ESTIMATOR_CALLS.items():
        setattr(module, name, functools.partial(call, coordinator))
    return module


class _TpuModule(ModuleType):
    """A stand-in for a module that the Estimator uses only on a TPU.

    Each attribute is a class that programs can name, e.g. in isinstance(), but not instantiate.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        stand_in = type(name, (_TpuOnly,), {"__module__": self.__name__})
        setattr(self, name, stand_in)
        return stand_in


class _TpuOnly:
    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        import tensorflow as tf

        from hubmodule.errors import TpuUnavailableError

        raise TpuUnavailableError(
            f"not available: TPU. {cls.__module__}.{cls.__name__} left TensorFlow before "
            f"{tf.__version__}; an Estimator on a TPU needs TensorFlow 2.15."
        )


def _import_namespace(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise _make_error(f"cannot import its tf.estimator ({error})") from error


def _make_error(what: str) -> Exception:
    import tensorflow as tf

    from hubmodule.errors import EstimatorUnavailableError

    return EstimatorUnavailableError(
        f"TensorFlow {tf.__version__} {what}; {keras2.make_install_command()}"
    )


def _explain_boosted_trees(namespace: ModuleType) -> None:
    """Makes the AttributeError of `tf.estimator.BoostedTrees…` say what to use instead."""

    def explain(name: str) -> NoReturn:
        message = f"module {namespace.__name__!r} has no attribute {name!r}"
        if name.startswith("BoostedTrees"):
            message += (
                "; TensorFlow dropped the kernels of boosted trees, "
                "which live on as TensorFlow Decision Forests"
            )
        raise AttributeError(message)

    namespace.__getattr__ = explain  # type: ignore[method-assign]


def _alias_modules(alias: str, name: str) -> None:
    """Makes imports of `alias` and of its submodules return `name` and its submodules."""
    for full_name, module in list(sys.modules.items()):
        if full_name == name or full_name.startswith(f"{name}."):
            sys.modules[alias + full_name.removeprefix(name)] = module

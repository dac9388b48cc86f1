"""Makes `tf.keras` Keras 2, which the Estimator and `tf.compat.v1.layers` are written for.

TensorFlow 2.15 brings Keras 2. Newer ones bring Keras 3, and the package tf-keras is
Keras 2 for them; the environment variable TF_USE_LEGACY_KERAS makes it `tf.keras`.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import threading
from pathlib import Path
from types import ModuleType

from hubmodule.estimator.namespaces import loaded_namespaces, public_modules

SETTING = "TF_USE_LEGACY_KERAS"

_RESOLVING = threading.Lock()

_ON = ("1", "true", "True")  # what TensorFlow takes for "yes"


def use_keras_2() -> None:
    """Makes `tf.keras` Keras 2, before or after TensorFlow is imported.

    Raises:
        EstimatorUnavailableError: tf-keras is not installed, `tf.keras` was already used
            as Keras 3, or TF_USE_LEGACY_KERAS is set to something that forbids Keras 2.
    """
    if not needs_tf_keras():
        return
    setting = os.environ.get(SETTING)
    if not is_tf_keras_installed():
        raise _unavailable(f"Keras 2 is missing: the package tf-keras is not installed; {advice()}")
    if setting and setting not in _ON:
        raise _unavailable(
            f"{SETTING}={setting} keeps Keras 3 as tf.keras, and the Estimator needs Keras 2; "
            f"unset it, or: export {SETTING}=1"
        )
    # Where another thread is importing TensorFlow, this waits until it is whole.
    tensorflow = importlib.import_module("tensorflow") if "tensorflow" in sys.modules else None
    if _keras_3_is_in_use():
        raise _unavailable(
            "tf.keras was already used as Keras 3 in this process, and the Estimator needs "
            "Keras 2; call hubmodule.enable_estimator() before anything uses tf.keras, or set "
            f"the environment before TensorFlow is imported: export {SETTING}=1"
        )
    os.environ[SETTING] = "1"
    if tensorflow is not None:
        _put_tf_keras_first(tensorflow)


def resolve_lazy_names() -> None:
    """Lets the names that stand for Keras in TensorFlow's API decide which Keras they are.

    TensorFlow decides it when a name is first used, by the environment of the thread that uses
    it. Two threads that use a name for the first time at once end in a RecursionError.
    """
    with _RESOLVING:
        for module in public_modules():
            for value in list(vars(module).values()):
                if _is_lazy(value):
                    # A name that stands for a missing module raises when a program uses it.
                    with contextlib.suppress(ImportError):
                        dir(value)


def needs_tf_keras() -> bool:
    """Whether `tf.keras` can be Keras 2 only through the package tf-keras."""
    if os.environ.get(SETTING) in _ON:
        return True
    try:
        return int(importlib.metadata.version("keras").split(".")[0]) >= 3
    except importlib.metadata.PackageNotFoundError:
        return True


def is_tf_keras_installed() -> bool:
    """Whether the package tf-keras can be found; does not import it."""
    return importlib.util.find_spec("tf_keras") is not None


def advice() -> str:
    """The line that installs what the Estimator needs and leaves TensorFlow as it is."""
    from hubmodule import _requirements

    packages = ["tf-estimator-nightly==2.16.0.dev2024012409"]
    if needs_tf_keras():
        version = _requirements.tensorflow_version()
        packages.append(
            f"'tf-keras=={'.'.join(version.split('.')[:2])}.*'" if version else "tf-keras"
        )
    return f"pip install --no-deps {' '.join(packages)}"


def _keras_3_is_in_use() -> bool:
    imported = sys.modules.get("tensorflow.keras")
    if imported is not None and "tf_keras" not in Path(imported.__file__ or "").parts:
        return True
    names = [value for space in loaded_namespaces() for value in vars(space).values()]
    return any(map(_is_keras_3, names))


def _is_keras_3(value: object) -> bool:
    """Whether a name of TensorFlow's stands for Keras 3, without making a lazy one decide."""
    if _is_lazy(value):
        return vars(value).get("_tfll_keras_version") == "keras_3"
    return type(value) is ModuleType and value.__name__.startswith("keras.")


def _is_lazy(value: object) -> bool:
    return type(value).__name__ == "KerasLazyLoader"


def _put_tf_keras_first(tensorflow: ModuleType) -> None:
    """Does what `import tensorflow` does itself where the setting is made before."""
    spec = importlib.util.find_spec("tf_keras.api._v2.keras")
    if spec is not None and spec.origin is not None:
        directory = str(Path(spec.origin).parent.parent)
        if directory not in tensorflow.__path__:
            tensorflow.__path__.insert(0, directory)
    # Registers the optimizers that a SavedModel may name.
    importlib.import_module("tf_keras.src.optimizers")


def _unavailable(message: str) -> Exception:
    # Imports TensorFlow, which must not come before the setting.
    from hubmodule.errors import EstimatorUnavailableError

    return EstimatorUnavailableError(message)

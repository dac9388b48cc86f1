"""Makes `tf.keras` Keras 2, which the Estimator and `tf.compat.v1.layers` need.

TensorFlow 2.15 includes Keras 2. Later versions include Keras 3; for them, the package
tf-keras is Keras 2, and the environment variable TF_USE_LEGACY_KERAS makes it `tf.keras`.
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

from hubmodule.estimator.namespaces import find_namespaces, find_public_modules

SETTING = "TF_USE_LEGACY_KERAS"

_RESOLVING = threading.Lock()

_ON = ("1", "true", "True")  # the values that TensorFlow accepts


def use_keras_2() -> None:
    """Makes `tf.keras` Keras 2, before or after TensorFlow is imported.

    Raises:
        EstimatorUnavailableError: If tf-keras is not installed, the program already uses
            `tf.keras` as Keras 3, or TF_USE_LEGACY_KERAS has a value that excludes Keras 2.
    """
    if not needs_tf_keras():
        return
    setting = os.environ.get(SETTING)
    if not is_tf_keras_installed():
        raise _make_error(
            f"Keras 2 is missing: the package tf-keras is not installed; {make_install_command()}"
        )
    if setting and setting not in _ON:
        raise _make_error(
            f"{SETTING}={setting} keeps Keras 3 as tf.keras, and the Estimator needs Keras 2; "
            f"unset it, or: export {SETTING}=1"
        )
    # If another thread is importing TensorFlow, this waits until the import has ended.
    tensorflow = importlib.import_module("tensorflow") if "tensorflow" in sys.modules else None
    if _is_keras_3_in_use():
        raise _make_error(
            "tf.keras was already used as Keras 3 in this process, and the Estimator needs "
            "Keras 2; call hubmodule.enable_estimator() before anything uses tf.keras, or set "
            f"the environment before TensorFlow is imported: export {SETTING}=1"
        )
    os.environ[SETTING] = "1"
    if tensorflow is not None:
        _put_tf_keras_first(tensorflow)


def resolve_lazy_names() -> None:
    """Resolves the lazy names of Keras in TensorFlow's API to one Keras.

    TensorFlow resolves such a name at its first use, by the environment of the thread that
    uses it, and raises a RecursionError if two threads use it first at the same time.
    """
    with _RESOLVING:
        for module in find_public_modules():
            for value in list(vars(module).values()):
                if _is_lazy(value):
                    # If the module is missing, the program gets the error when it uses the name.
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
    """Whether the package tf-keras is installed; does not import it."""
    return importlib.util.find_spec("tf_keras") is not None


def make_install_command() -> str:
    """Returns the pip command that installs the packages that the Estimator needs."""
    from hubmodule import _requirements

    packages = ["tf-estimator-nightly==2.16.0.dev2024012409"]
    if needs_tf_keras():
        version = _requirements.get_tensorflow_version()
        packages.append(
            f"'tf-keras=={'.'.join(version.split('.')[:2])}.*'" if version else "tf-keras"
        )
    return f"pip install --no-deps {' '.join(packages)}"


def _is_keras_3_in_use() -> bool:
    imported = sys.modules.get("tensorflow.keras")
    if imported is not None and "tf_keras" not in Path(imported.__file__ or "").parts:
        return True
    names = [value for space in find_namespaces() for value in vars(space).values()]
    return any(map(_is_keras_3, names))


def _is_keras_3(value: object) -> bool:
    """Whether a value of TensorFlow's API is from Keras 3; does not resolve a lazy name."""
    if _is_lazy(value):
        return vars(value).get("_tfll_keras_version") == "keras_3"
    return type(value) is ModuleType and value.__name__.startswith("keras.")


def _is_lazy(value: object) -> bool:
    return type(value).__name__ == "KerasLazyLoader"


def _put_tf_keras_first(tensorflow: ModuleType) -> None:
    """Changes TensorFlow as if the environment variable had been set before its import."""
    spec = importlib.util.find_spec("tf_keras.api._v2.keras")
    if spec is not None and spec.origin is not None:
        directory = str(Path(spec.origin).parent.parent)
        if directory not in tensorflow.__path__:
            tensorflow.__path__.insert(0, directory)
    # Registers the optimizers that a SavedModel may name.
    importlib.import_module("tf_keras.src.optimizers")


def _make_error(message: str) -> Exception:
    # Imports TensorFlow, which must not come before the setting.
    from hubmodule.errors import EstimatorUnavailableError

    return EstimatorUnavailableError(message)

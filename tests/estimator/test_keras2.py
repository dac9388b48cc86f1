"""Tests of hubmodule.estimator.keras2."""

from __future__ import annotations

import importlib.metadata
import sys

import pytest
import tensorflow as tf

from hubmodule.errors import EstimatorUnavailableError
from hubmodule.estimator import keras2
from tests.processes import output_of

MINOR = ".".join(tf.__version__.split(".")[:2])

with_keras_3 = pytest.mark.skipif(
    importlib.metadata.version("keras").startswith("2."), reason="Keras 2 is what there is"
)

TRY = """
    try:
        hub.enable_estimator()
    except ImportError as error:
        print(type(error).__name__, error)
    """


def test_tf_keras_is_keras_2():
    keras2.use_keras_2()
    assert hasattr(tf.keras.layers, "DenseFeatures")


def test_keras_2_as_installed_needs_nothing(monkeypatch):
    monkeypatch.delenv(keras2.SETTING, raising=False)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.15.0")
    assert not keras2.needs_tf_keras()


def test_keras_3_needs_tf_keras(monkeypatch):
    monkeypatch.delenv(keras2.SETTING, raising=False)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "3.0.0")
    assert keras2.needs_tf_keras()


def test_the_setting_needs_tf_keras(monkeypatch):
    monkeypatch.setenv(keras2.SETTING, "1")
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.15.0")
    assert keras2.needs_tf_keras()


def test_no_keras_needs_tf_keras(monkeypatch):
    def version(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.delenv(keras2.SETTING, raising=False)
    monkeypatch.setattr(importlib.metadata, "version", version)
    assert keras2.needs_tf_keras()


def test_missing_tf_keras_is_an_error_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setenv(keras2.SETTING, "1")
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    with pytest.raises(EstimatorUnavailableError) as caught:
        keras2.use_keras_2()
    assert "tf-keras is not installed" in str(caught.value)
    assert (
        f"pip install --no-deps tf-estimator-nightly==2.16.0.dev2024012409 'tf-keras=={MINOR}.*'"
        in (str(caught.value))
    )


@with_keras_3
@pytest.mark.parametrize("setting", ["0", "false", "no"])
def test_a_setting_that_forbids_keras_2_is_an_error(monkeypatch, setting):
    monkeypatch.setenv(keras2.SETTING, setting)
    with pytest.raises(EstimatorUnavailableError, match=f"export {keras2.SETTING}=1"):
        keras2.use_keras_2()


@with_keras_3
@pytest.mark.parametrize("use", ["tf.losses.Loss", "import tensorflow.keras"])
def test_keras_3_in_use_is_an_error_with_the_environment_line(use):
    lines = output_of(f"import tensorflow as tf, hubmodule as hub\n{use}\n" + _dedented(TRY))
    assert lines[0].startswith("EstimatorUnavailableError tf.keras was already used as Keras 3")
    assert lines[0].endswith(f"export {keras2.SETTING}=1")


@with_keras_3
def test_keras_3_by_its_own_name_is_no_conflict():
    lines = output_of(
        """
        import keras
        keras.Sequential([keras.layers.Dense(1)])
        import tensorflow as tf, hubmodule as hub
        hub.enable_estimator()
        print(keras.__version__[0], hasattr(tf.keras.layers, "DenseFeatures"))
        """
    )
    assert lines == ["3 True"]


def _dedented(code: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in code.splitlines())


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

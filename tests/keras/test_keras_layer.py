"""Tests of hub.KerasLayer: which Keras it is of, each in a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.keras import keras_layer

HAS_KERAS_2 = tf.__version__.startswith("2.15.")
later = pytest.mark.skipif(HAS_KERAS_2, reason="until TensorFlow 2.16 there is one Keras")


def printed(program: str, **environment: str) -> list[str]:
    """The lines that a program prints."""
    given = {k: v for k, v in os.environ.items() if k not in ("TF_USE_LEGACY_KERAS",)}
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**given, **environment},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout.splitlines()


FITS = "print(issubclass(hub.KerasLayer, tf.keras.layers.Layer))"


def test_it_is_a_layer_of_tf_keras() -> None:
    assert printed(f"import tensorflow as tf, hubmodule as hub; {FITS}") == ["True"]


def test_nothing_of_keras_is_imported_before_the_name_is_used() -> None:
    program = """
import sys
import hubmodule as hub
print({"keras", "tf_keras", "tensorflow"} & set(sys.modules))
print(hub.KerasLayer is hub.KerasLayer)
"""
    assert printed(program) == ["set()", "True"]


@later
def test_tf_keras_is_left_alone_by_programs_that_use_keras_3() -> None:
    program = """
import sys
import hubmodule as hub
import keras
print(issubclass(hub.KerasLayer, keras.layers.Layer), "tf_keras" in sys.modules)
"""
    assert printed(program) == ["True False"]


@later
def test_programs_that_import_tf_keras_get_its_layer() -> None:
    program = """
import sys
import hubmodule as hub
import tf_keras
print(issubclass(hub.KerasLayer, tf_keras.layers.Layer))
print("hubmodule.keras.keras3_layer" in sys.modules)
"""
    assert printed(program) == ["True", "False"]


@later
def test_keras_3_is_left_alone_where_tf_keras_is_keras_2() -> None:
    program = f"""
import sys
import tensorflow as tf
import hubmodule as hub
{FITS}
print("keras" in sys.modules)
"""
    assert printed(program, TF_USE_LEGACY_KERAS="1") == ["True", "False"]


@later
def test_programs_with_both_may_say_which() -> None:
    program = f"""
import tensorflow as tf
import tf_keras
import hubmodule as hub
{FITS}
"""
    assert printed(program, TF_USE_LEGACY_KERAS="0") == ["True"]


def test_an_unknown_name_is_unknown() -> None:
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        _ = keras_layer.absent


def test_there_is_one_class() -> None:
    assert isinstance(hub.KerasLayer(tf.identity), hub.KerasLayer)
    assert keras_layer.KerasLayer is hub.KerasLayer


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of hubmodule.estimator.bridge."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import EstimatorUnavailableError, TpuUnavailableError
from tests.processes import output_of

HAS_OWN_ESTIMATOR = tf.__version__.startswith("2.15.")

# These are gone from TensorFlow 2.16 on, which is where something stands in for them.
without_own_estimator = pytest.mark.skipif(
    HAS_OWN_ESTIMATOR, reason="TensorFlow 2.15 has its own Estimator"
)


def test_returns_the_v1_namespace():
    assert hub.enable_estimator() is tf.compat.v1.estimator


def test_may_be_called_again():
    assert hub.enable_estimator() is hub.enable_estimator()


@pytest.mark.parametrize(
    "statement",
    [
        "import tensorflow as tf; tf.estimator.Estimator",
        "import tensorflow as tf; tf.compat.v1.estimator.Estimator",
        "import tensorflow as tf; tf.compat.v2.estimator.Estimator",
        "import tensorflow.compat.v1 as tf; tf.estimator.Estimator",
        "import tensorflow.compat.v2 as tf; tf.estimator.Estimator",
        "import tensorflow as tf; tf.compat.v1.compat.v1.estimator.Estimator",
        "import tensorflow.estimator",
        "import tensorflow.compat.v1.estimator",
        "from tensorflow import estimator",
        "from tensorflow.compat.v1 import estimator",
        "from tensorflow.estimator import RunConfig",
        "from tensorflow.estimator.export import ServingInputReceiver",
        "from tensorflow.compat.v1.estimator.inputs import numpy_input_fn",
        "from tensorflow.compat.v1.estimator.tpu import TPUEstimator",
        "from tensorflow.python.estimator.canned import prediction_keys",
        "from tensorflow.python.estimator.run_config import RunConfig",
        "from tensorflow_estimator.python.estimator import estimator_lib",
    ],
)
def test_every_way_to_the_estimator(statement):
    exec(statement, {})


def test_the_namespaces_differ_as_in_tensorflow_2_15():
    assert hasattr(tf.compat.v1.estimator, "inputs")
    assert not hasattr(tf.estimator, "inputs")
    assert hasattr(tf.estimator.experimental, "RNNClassifier")
    assert hasattr(tf.compat.v1.estimator.experimental, "KMeans")


def test_v1_and_v2_estimators_are_their_own_classes():
    assert tf.estimator.DNNClassifier is not tf.compat.v1.estimator.DNNClassifier
    assert issubclass(tf.estimator.DNNClassifier, tf.estimator.Estimator)


@without_own_estimator
def test_boosted_trees_say_where_they_went():
    with pytest.raises(AttributeError, match="Decision Forests"):
        tf.estimator.BoostedTreesClassifier  # noqa: B018


@without_own_estimator
def test_other_missing_names_are_plain_attribute_errors():
    with pytest.raises(AttributeError, match=r"no attribute 'NoSuchThing'$"):
        tf.compat.v1.estimator.NoSuchThing  # noqa: B018


@without_own_estimator
@pytest.mark.parametrize("module", ["session_support", "tpu_embedding", "tpu_embedding_gradient"])
def test_what_only_a_tpu_needs_can_be_named_and_not_made(module):
    stand_in = getattr(sys.modules["tensorflow.python.tpu"], module)
    assert not isinstance(3, stand_in.TPUEmbedding)
    with pytest.raises(TpuUnavailableError, match=rf"not available: TPU.*{module}.TPUEmbedding"):
        stand_in.TPUEmbedding()


@without_own_estimator
def test_a_stand_in_has_no_made_up_dunders():
    stand_in = sys.modules["tensorflow.python.tpu.tpu_embedding"]
    with pytest.raises(AttributeError, match="__path__"):
        stand_in.__path__  # noqa: B018


@without_own_estimator
def test_modules_that_tensorflow_has_are_its_own():
    from tensorflow.python.tpu import tensor_tracer

    assert tensor_tracer.__file__.startswith(tf.__path__[-1].rpartition("tensorflow")[0])


@without_own_estimator
def test_a_missing_package_is_an_error_with_the_line_that_installs_it(monkeypatch):
    for name in list(sys.modules):
        if name.startswith("tensorflow_estimator"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorflow_estimator", None)
    minor = ".".join(tf.__version__.split(".")[:2])
    with pytest.raises(EstimatorUnavailableError) as caught:
        hub.enable_estimator()
    assert "tf-estimator-nightly is not installed" in str(caught.value)
    assert (
        "pip install --no-deps tf-estimator-nightly==2.16.0.dev2024012409 "
        f"'tf-keras=={minor}.*'" in str(caught.value)
    )


@without_own_estimator
def test_a_missing_package_leaves_keras_3_as_it_is():
    lines = output_of(
        """
        import sys
        sys.modules["tensorflow_estimator"] = None
        import tensorflow as tf, hubmodule as hub
        try:
            hub.enable_estimator()
        except ImportError as error:
            print(type(error).__name__)
        import os, keras
        print("TF_USE_LEGACY_KERAS" in os.environ, tf.keras.layers.Dense is keras.layers.Dense)
        """
    )
    assert lines == ["EstimatorUnavailableError", "False True"]


@without_own_estimator
def test_an_estimator_that_does_not_import_is_an_error_with_the_reason(monkeypatch):
    for name in list(sys.modules):
        if name.startswith("tensorflow_estimator."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorflow_estimator._api", None)
    with pytest.raises(
        EstimatorUnavailableError, match=r"cannot import its tf.estimator.*_api.*pip install"
    ):
        hub.enable_estimator()


def test_enabling_before_tensorflow_is_imported():
    lines = output_of(
        """
        import hubmodule as hub
        estimator = hub.enable_estimator()
        import tensorflow.compat.v1 as tf
        print(tf.estimator is estimator, hasattr(tf.layers, "dense"))
        """
    )
    assert lines == ["True True"]


def test_enabling_after_tensorflow_is_imported():
    lines = output_of(
        """
        import tensorflow as tf
        from tensorflow import keras
        import hubmodule as hub
        hub.enable_estimator()
        from tensorflow.keras import layers
        print(hasattr(keras.layers, "DenseFeatures"), tf.keras.layers.Dense is keras.layers.Dense)
        print(layers.Dense.__module__ == keras.layers.Dense.__module__)
        print(issubclass(tf.losses.Loss, keras.losses.Loss))
        print(tf.compat.v1.keras.layers.DenseFeatures.__name__, tf.estimator.RunConfig.__name__)
        """
    )
    assert lines == ["True True", "True", "True", "DenseFeatures RunConfig"]


def test_names_of_keras_are_decided_when_it_is_enabled():
    """TensorFlow would decide at the first use, by the environment of the thread."""
    lines = output_of(
        """
        import os
        import hubmodule as hub
        hub.enable_estimator()
        os.environ.pop("TF_USE_LEGACY_KERAS", None)
        import tensorflow as tf
        v1 = tf.compat.v1
        for names in [tf.keras, v1.keras, tf.compat.v2.keras]:
            print(names.layers.DenseFeatures.__name__)
        print(v1.layers.Dense.__module__.partition(".")[0] in ("keras", "tf_keras"))
        print(hasattr(v1.nn.rnn_cell, "LSTMCell"), tf.losses.Loss is tf.keras.losses.Loss)
        """
    )
    assert lines == ["DenseFeatures"] * 3 + ["True", "True True"]


def test_enabling_in_many_threads_at_once():
    lines = output_of(
        """
        import threading
        import hubmodule as hub
        start, estimators = threading.Barrier(4), []
        def enable():
            start.wait()
            estimators.append(hub.enable_estimator())
        threads = [threading.Thread(target=enable) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        import tensorflow as tf
        print(len(estimators), {tf.compat.v1.estimator} == set(estimators))
        """
    )
    assert lines == ["4 True"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

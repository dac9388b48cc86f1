"""`tf.contrib`: what works through a successor, and what the errors of the rest say."""

from __future__ import annotations

import importlib.util
import pickle
import sys
import types

import pytest

from hubmodule._plain_errors import ContribUnavailableError, HubModuleError
from hubmodule.legacy.contrib import CONTRIB, ContribPart, ImportedNames
from hubmodule.legacy.contrib_parts import PACKAGES, PARTS, SUCCESSORS, find_advice
from tests.processes import output_of

# Optional packages that the tests do not install.
NOT_INSTALLED = [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def find(path):
    found = CONTRIB
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("part", sorted(PARTS))
def test_every_part_can_be_imported(part):
    assert isinstance(find(part), ContribPart)
    assert part.split(".")[0] in dir(CONTRIB)


def test_every_successor_is_there():
    # In a process of its own, because it needs the Estimator with Keras 2.
    code = """
        import hubmodule
        hubmodule.enable_tensorflow_1()
        from hubmodule._plain_errors import ContribUnavailableError
        from hubmodule.legacy import contrib
        from hubmodule.legacy.contrib_parts import SUCCESSORS
        from tests.legacy.test_contrib import NOT_INSTALLED, find
        checked = 0
        for path, target in SUCCESSORS.items():
            if target.split(":")[0].split(".")[0] in NOT_INSTALLED:
                continue
            assert contrib._import_object(path, target) is not None
            checked += "." not in path or find(path) is not None
        print(checked)
        """
    (checked,) = output_of(code)
    missing = [t for t in SUCCESSORS.values() if t.split(":")[0].split(".")[0] in NOT_INSTALLED]
    assert int(checked) == len(SUCCESSORS) - len(missing) > 70


@pytest.mark.parametrize("path", sorted(set(PARTS) - set(SUCCESSORS)))
def test_names_of_parts_without_a_successor(path):
    with pytest.raises(ContribUnavailableError) as caught:
        find(f"{path}.no_such_name")
    assert str(caught.value) == (
        f"tf.contrib.{path}.no_such_name is not available: TensorFlow 2 has no tf.contrib; "
        f"{find_advice(path)}"
    )
    assert isinstance(caught.value, HubModuleError)
    assert isinstance(caught.value, AttributeError)


def test_names_that_programs_import_fail_when_they_are_used():
    names = ImportedNames(ContribPart("crf"))
    imported = names.crf_log_likelihood
    for use in (imported, lambda: imported.attribute, lambda: types.new_class("Mine", (imported,))):
        with pytest.raises(ContribUnavailableError, match=r"^tf\.contrib\.crf\.crf_log_likelihood"):
            use()


def test_nothing_is_an_instance_of_a_name_that_is_not_available():
    imported = ImportedNames(ContribPart("rnn")).LayerNormBasicLSTMCell
    assert not isinstance(1, imported)
    assert not issubclass(int, (imported, str))


def test_names_of_a_successor_are_listed():
    pytest.importorskip("tf_slim")
    assert "fully_connected" in dir(CONTRIB.layers)
    assert "lstm" not in dir(CONTRIB.crf)


def test_programs_can_ask_what_there_is():
    assert not hasattr(CONTRIB.crf, "crf_log_likelihood")
    assert hasattr(CONTRIB.training, "HParams")
    assert not hasattr(CONTRIB, "no_such_part")
    assert not hasattr(CONTRIB, "__wrapped__")
    assert "HParams" in dir(CONTRIB.training)


def test_a_part_that_is_called():
    with pytest.raises(ContribUnavailableError, match=r"^tf\.contrib\.learn\.preprocessing is not"):
        CONTRIB.learn.preprocessing()


def test_parts_can_be_pickled():
    assert pickle.loads(pickle.dumps(CONTRIB.layers)).__name__ == "tensorflow.contrib.layers"


def test_a_package_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "tf_slim", None)
    with pytest.raises(ContribUnavailableError) as caught:
        CONTRIB.slim.conv2d  # noqa: B018
    assert str(caught.value).startswith(
        "tf.contrib.slim.conv2d needs the package tf-slim, which cannot be imported ("
    )
    assert str(caught.value).endswith("); pip install tf-slim")


def test_layers_and_slim_compute():
    code = """
        import hubmodule
        hubmodule.enable_tensorflow_1(packages=["__main__"])
        import numpy as np
        import tensorflow as tf
        import tensorflow.contrib.slim as slim
        from tensorflow.contrib import layers
        from tensorflow.contrib.slim.nets import vgg

        x = tf.placeholder(tf.float32, [None, 4, 4, 1])
        with slim.arg_scope([slim.conv2d], normalizer_fn=slim.batch_norm,
                            weights_regularizer=slim.l2_regularizer(0.5)):
            net = slim.conv2d(x, 2, [3, 3], weights_initializer=tf.ones_initializer(), scope="c")
        out = layers.fully_connected(layers.flatten(net), 1, activation_fn=None,
                                     weights_initializer=tf.ones_initializer(), scope="f")
        print([v.op.name for v in tf.global_variables()])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            print(session.run(out, {x: np.zeros([1, 4, 4, 1])}))
            print(session.run(tf.losses.get_regularization_loss()))
        print(vgg.vgg_16.__name__)
        """
    assert output_of(code)[-4:] == [
        "['c/weights', 'c/BatchNorm/beta', 'c/BatchNorm/moving_mean', "
        "'c/BatchNorm/moving_variance', 'f/weights', 'f/biases']",
        "[[0.]]",
        "4.5",
        "vgg_16",
    ]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

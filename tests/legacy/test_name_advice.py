"""What is said of a name; tests/legacy/test_doctor.py has what is said of lines."""

from __future__ import annotations

import sys

import pytest

from hubmodule.legacy.name_advice import explain_name, find_api_version, is_importable


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("tensorflow.contrib.learn.Experiment", "use tf.estimator.train_and_evaluate"),
        ("tensorflow.contrib.eager.Iterator", "iterate over the dataset itself"),
        ("tensorflow.examples.tutorials.mnist", "tf.keras.datasets has MNIST and others"),
        ("tensorflow.models.image", "use the package tf-models-official"),
        ("tensorflow_hub.no_such", "use one of those"),
        ("urllib2.urlopen", "Python 3 has it in urllib.request and urllib.error"),
        ("tensorflow.contrib.util.make_tensor_proto", None),
        ("tensorflow.placeholder", None),
        ("json.loads", None),
    ],
)
def test_a_name_that_is_used(name, advice):
    reason = explain_name(name, is_import=False)
    assert (reason is None) if advice is None else reason.endswith(advice)


def test_every_part_of_contrib_can_be_imported():
    name = "tensorflow.contrib.crf.viterbi_decode"
    assert explain_name(name, is_import=True) is None
    assert explain_name(name, is_import=False) is not None


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("tensorflow.placeholder", 1),
        ("tensorflow.contrib.layers", 1),
        ("tensorflow.summary.create_file_writer", 2),
        ("tensorflow.matmul", None),
        ("tensorflow.compat.v1.placeholder", None),
        ("numpy.zeros", None),
    ],
)
def test_the_version_that_alone_has_a_name(name, version):
    assert find_api_version(name) == version


def test_what_can_be_imported():
    assert is_importable("json")
    assert not is_importable("no_such_package")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The names that only some versions of TensorFlow have."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.legacy import api_names
from hubmodule.legacy.contrib_parts import SUCCESSORS


def has_name(root, path):
    for name in path.rstrip(".").split("."):
        try:
            root = getattr(root, name)
        except (AttributeError, ImportError):
            return False
    return True


# TensorFlow 2.15 has these, and 2.21 does not.
DROPPED_SINCE = {
    "data.experimental.CheckpointInputPipelineHook",
    "experimental.output_all_intermediates",
    "test.compute_gradient_error",
}


@pytest.mark.parametrize("name", sorted(api_names.CONTRIB_WITHOUT_SUCCESSOR))
def test_only_parts_with_a_successor_lack_names_of_it(name):
    assert name.split(".")[0] in SUCCESSORS
    assert name not in SUCCESSORS


def test_names_of_tensorflow_1_are_not_in_tensorflow_2():
    # Keras and TFLite differ between the versions that are tested.
    names = {n for n in api_names.TENSORFLOW_1_ONLY if not n.startswith(("keras", "lite"))}
    assert {name for name in names if has_name(tf, name)} <= DROPPED_SINCE
    kept = names - api_names.DROPPED
    assert len(kept) > 500
    assert not sorted(name for name in kept if not has_name(tf.compat.v1, name))


@pytest.mark.parametrize("name", ["placeholder", "Session", "layers.", "train.AdamOptimizer"])
def test_well_known_names_of_tensorflow_1(name):
    assert name in api_names.TENSORFLOW_1_ONLY


@pytest.mark.parametrize("name", ["function", "data.Dataset", "nn.relu", "estimator."])
def test_well_known_names_of_both(name):
    assert name not in api_names.TENSORFLOW_1_ONLY | api_names.TENSORFLOW_2_ONLY


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

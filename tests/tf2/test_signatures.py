"""signatures: the functions of a loaded module by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import tensorflow as tf

import hubmodule as hub
from tests.growth import count_calls
from tests.module.graphs import affine, exported

v1 = tf.compat.v1


def test_a_signature_takes_its_only_input_either_way(tmp_path: Path) -> None:
    [(name, function)] = hub.load(exported(tmp_path / "m", affine)).signatures.items()
    assert name == "default"
    assert function(tf.constant([3.0]))["default"].numpy() == [7.0]
    assert function(default=tf.constant([3.0]))["default"].numpy() == [7.0]


def test_the_repr_lists_them(tmp_path: Path) -> None:
    signatures = hub.load(exported(tmp_path / "m", affine)).signatures
    assert repr(signatures) == "<signatures ['default'] of a module>"


def test_a_call_by_name_does_not_format_the_values(tmp_path: Path) -> None:
    function = hub.load(exported(tmp_path / "m", affine)).signatures["default"]
    small, large = tf.ones([2]), tf.ones([900])
    function(default=small)
    assert count_calls(lambda: function(default=large)) == count_calls(
        lambda: function(default=small)
    )


def odd_inputs() -> None:
    """Module function: inputs whose names are no identifiers, one of two parts or more."""
    x = v1.placeholder(tf.float32, [])
    rows = v1.sparse_placeholder(tf.float32, [2, 2])
    total = tf.sparse.reduce_sum(rows) - x
    hub.add_signature("minus", inputs={"a/b": x, "c$d": rows}, outputs={"total": total})


def test_names_that_are_no_identifiers(tmp_path: Path) -> None:
    signatures = hub.load(exported(tmp_path / "m", odd_inputs)).signatures
    parts = {
        "c$d_indices": tf.constant([[0, 1]], tf.int64),
        "c$d_values": tf.constant([5.0]),
        "c$d_dense_shape": tf.constant([2, 2], tf.int64),
    }
    found = signatures["minus"](**{"a/b": tf.constant(2.0)}, **parts)
    assert found["total"].numpy() == 3.0


def test_inputs_are_told_as_tensorflow_tells_them(tmp_path: Path) -> None:
    signatures = hub.load(exported(tmp_path / "m", odd_inputs)).signatures
    assert signatures["minus"].structured_input_signature == (
        (),
        {
            "a/b": tf.TensorSpec([], tf.float32, "a/b"),
            "c$d_indices": tf.TensorSpec([None, 2], tf.int64, "c$d_indices"),
            "c$d_values": tf.TensorSpec([None], tf.float32, "c$d_values"),
            "c$d_dense_shape": tf.TensorSpec([2], tf.int64, "c$d_dense_shape"),
        },
    )


def test_parts_of_ragged_inputs_are_numbered() -> None:
    golden = Path(__file__).parent.parent / "golden" / "made_by_tf215" / "ragged"
    names = [f"default_component_{index}" for index in range(3)]
    _, arguments = hub.load(golden).signatures["nested"].structured_input_signature
    assert sorted(arguments) == names


def test_an_unknown_name_is_a_key_error(tmp_path: Path) -> None:
    signatures = hub.load(exported(tmp_path / "m", affine)).signatures
    with pytest.raises(KeyError, match="absent"):
        signatures["absent"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Modules on a GPU: where it computes, and what stays on the CPU. Skipped where there is none."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from tests.module.graphs import exported

v1 = tf.compat.v1

pytestmark = pytest.mark.skipif(
    not tf.config.list_physical_devices("GPU"), reason="this machine has no GPU for TensorFlow"
)


def look_up_and_multiply() -> None:
    """Module function: a table and a matrix, on devices of the author that do not exist here."""
    words = v1.placeholder(tf.string, [None])
    with tf.device("/job:author/device:CPU:0"):
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([0, 1], tf.int64)), -1
        )
        ids = table.lookup(words)
    with tf.device("/job:author/device:GPU:7"):
        matrix = v1.get_variable("matrix", initializer=tf.constant([[1.0, 2.0], [3.0, 4.0]]))
        outputs = tf.matmul(tf.one_hot(ids, 2), matrix)
    hub.add_signature(inputs=words, outputs=outputs)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return exported(tmp_path_factory.mktemp("gpu") / "m", look_up_and_multiply)


def test_a_session_multiplies_on_the_gpu_and_looks_up_on_the_cpu(path: str) -> None:
    with tf.Graph().as_default():
        outputs = hub.Module(path)(tf.constant(["b", "a"]))
        options = v1.RunOptions(output_partition_graphs=True)
        metadata = v1.RunMetadata()
        with v1.Session() as session:
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            found = session.run(outputs, options=options, run_metadata=metadata)
    np.testing.assert_allclose(found, [[3.0, 4.0], [1.0, 2.0]])
    devices = {
        node.op: node.device.rpartition("/")[-1]
        for partition in metadata.partition_graphs
        for node in partition.node
    }
    assert devices["MatMul"] == "device:GPU:0"
    assert devices["LookupTableFindV2"] == "device:CPU:0"


def test_a_loaded_module_has_its_variables_and_results_on_the_gpu(path: str) -> None:
    module = hub.load(path)
    [matrix] = module.variables
    assert tf.DeviceSpec.from_string(matrix.device).device_type == "GPU"
    outputs = module(tf.constant(["b", "a"]))
    assert tf.DeviceSpec.from_string(outputs.device).device_type == "GPU"
    np.testing.assert_allclose(outputs, [[3.0, 4.0], [1.0, 2.0]])


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

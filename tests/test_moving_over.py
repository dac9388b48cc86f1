"""The page for those who move over shows errors as they are raised."""

from __future__ import annotations

import functools
import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import tensorflow as tf

from tests.processes import run_python

PAGE = Path(__file__).parents[1] / "docs" / "moving_over.md"

PLAIN = "import tensorflow as tf"
WITHOUT_TF_KERAS = """
import os, sys
os.environ["TF_USE_LEGACY_KERAS"] = "1"
sys.modules["tf_keras"] = None
import tensorflow as tf
"""
WITHOUT_TENSORBOARD = """
import sys
sys.modules["tensorboard"] = None
import tensorflow as tf
"""
ENABLED = """
import tensorflow as tf
import hubmodule as hub
hub.install_alias()
hub.enable_estimator()
"""
TWO_REPLICAS = """
import tensorflow as tf
import hubmodule as hub
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

def module_fn():
    x = tf.compat.v1.placeholder(tf.float32, [])
    hub.add_signature(inputs=x, outputs=x * tf.compat.v1.get_variable("w", []))

def replica():
    return hub.Module(hub.create_module_spec(module_fn))(1.0)
"""


class Raised(NamedTuple):
    """What raises an error: statements that follow others in a process, and its type."""

    setup: str
    statement: str
    error: str
    on_tensorflow_2_15: bool = False


RAISED = {
    "module 'tensorflow' has no attribute 'estimator'": Raised(
        PLAIN, "tf.estimator", "AttributeError"
    ),
    "module 'tensorflow.compat.v1' has no attribute 'estimator'": Raised(
        PLAIN, "import tensorflow.compat.v1 as tf; tf.estimator", "AttributeError"
    ),
    "cannot import name 'estimator' from 'tensorflow'": Raised(
        PLAIN, "from tensorflow import estimator", "ImportError"
    ),
    "No module named 'tensorflow.estimator'": Raised(
        PLAIN, "import tensorflow.estimator", "ImportError"
    ),
    "cannot import name 'estimator_training' from 'tensorflow.python.distribute'": Raised(
        PLAIN, "import tensorflow_estimator.python.estimator.api._v1.estimator", "ImportError"
    ),
    "tf.keras was already used as Keras 3 in this process": Raised(
        PLAIN, "tf.keras.layers; import hubmodule; hubmodule.enable_estimator()", "ImportError"
    ),
    "Keras cannot be imported. Check that it is installed.": Raised(
        WITHOUT_TF_KERAS, "tf.keras.layers", "ImportError"
    ),
    "`dense` is not available with Keras 3": Raised(
        PLAIN, "tf.compat.v1.layers.dense(tf.zeros([1, 1]), 1)", "AttributeError"
    ),
    "module 'keras._tf_keras.keras.layers' has no attribute 'DenseFeatures'": Raised(
        PLAIN, "tf.compat.v1.keras.layers.DenseFeatures", "AttributeError"
    ),
    "TensorBoard is not installed, missing implementation for tf.summary.scalar": Raised(
        WITHOUT_TENSORBOARD, "tf.summary.scalar('loss', 1.0, step=1)", "TBNotInstalledError"
    ),
    "module 'tensorflow' has no attribute 'contrib'": Raised(
        PLAIN, "tf.contrib", "AttributeError", on_tensorflow_2_15=True
    ),
    "has no attribute 'BoostedTreesClassifier'": Raised(
        ENABLED, "tf.estimator.BoostedTreesClassifier", "AttributeError", on_tensorflow_2_15=True
    ),
    "cannot import name 'BoostedTreesClassifier'": Raised(
        ENABLED,
        "from tensorflow.estimator import BoostedTreesClassifier",
        "ImportError",
        on_tensorflow_2_15=True,
    ),
    "not available: TPU.": Raised(
        ENABLED,
        "from tensorflow.python.tpu import tpu_embedding; tpu_embedding.TPUEmbedding()",
        "NotImplementedError",
    ),
    "variable_scope 'module' was unused, but the corresponding name_scope is already taken": Raised(
        TWO_REPLICAS,
        "with tf.Graph().as_default(): strategy.run(replica)",
        "RuntimeError",
        on_tensorflow_2_15=True,
    ),
    "No module named 'tensorflow_hub.tools': hubmodule stands in for tensorflow_hub": Raised(
        ENABLED, "import tensorflow_hub.tools", "ImportError", on_tensorflow_2_15=True
    ),
}
# What other versions of other packages raise than those that the tests run with.
FROM_ELSEWHERE = {
    "module 'tensorflow_hub' has no attribute 'Module'",
    "module 'tensorflow_hub' has no attribute 'LatestModuleExporter'",
    "no attribute 'text_embedding_column'",
    "MessageToString() got an unexpected keyword argument 'float_format'",
}

RUNNER = """
import json
import sys

setup, statements = json.loads(sys.argv[1])
names = {}
exec(setup, names)
for statement in statements:
    types, text = [], ""
    try:
        exec(statement, dict(names))
    except Exception as error:
        types, text = [base.__name__ for base in type(error).__mro__], str(error)
    print(json.dumps([types, text]))
"""


def shown() -> list[str]:
    """The messages in the table of the page, without the "…" at their ends."""
    table = PAGE.read_text(encoding="utf-8").partition("| what you searched for |")[2]
    cells = [row.split(" | ")[0] for row in table.splitlines() if row.startswith("| `")]
    entries = [entry for cell in cells for entry in cell.removeprefix("| ").split("<br>")]
    spans = [re.match(r"`` (.+?) ``|`(.+?)`", entry) for entry in entries]
    return [(span[1] or span[2]).removesuffix("…").strip() for span in spans]


@functools.cache
def raised_after(setup: str) -> dict[str, tuple[list[str], str]]:
    """The types and the text of the errors that statements raise; one process for all."""
    statements = [raised.statement for raised in RAISED.values() if raised.setup == setup]
    done = run_python("-c", RUNNER, json.dumps([setup, statements]))
    assert done.returncode == 0, done.stderr
    return dict(zip(statements, map(json.loads, done.stdout.splitlines()), strict=True))


def test_each_error_in_the_table_is_tried() -> None:
    assert sorted(shown()) == sorted({*RAISED, *FROM_ELSEWHERE})


@pytest.mark.parametrize("message", RAISED)
def test_it_is_raised(message: str) -> None:
    raised = RAISED[message]
    if tf.__version__.startswith("2.15.") and not raised.on_tensorflow_2_15:
        pytest.skip("TensorFlow 2.15 has an Estimator and Keras 2 of its own")
    types, text = raised_after(raised.setup)[raised.statement]
    assert message in text
    assert raised.error in types


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The examples in the docstrings of public names run, and each name has what its users need."""

from __future__ import annotations

import importlib
import inspect
import json
import sys

import pytest

import hubmodule as hub
from tests.processes import run_python

# These make tf.keras Keras 2, for a whole process; so they have their own.
WITH_ESTIMATOR = [
    "LatestModuleExporter",
    "enable_estimator",
    "image_embedding_column",
    "install_alias",
    "register_module_for_export",
    "sparse_text_embedding_column",
    "text_embedding_column",
    "text_embedding_column_v2",
]
# It changes what `import tensorflow` means; tests/test_run.py runs what it shows.
NOT_RUN = ["__version__", "enable_tensorflow_1"]
OTHERS = sorted(set(hub.__all__) - {*WITH_ESTIMATOR, *NOT_RUN})
# What users hold, besides what is public.
HELD = ["hubmodule.tf2.reusable_module.ReusableModule"]

RUNNER = """
import doctest, importlib, json, logging, os, sys

logging.disable(logging.WARNING)
directory, with_estimator, *names = sys.argv[1:]
os.chdir(directory)
import hubmodule as hub
if with_estimator == "yes":
    hub.enable_estimator()
import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1


def text_fn():
    sentences = tf1.placeholder(tf.string, [None])
    regularizer = lambda value: 0.01 * tf.nn.l2_loss(value)
    embeddings = tf1.get_variable("embeddings", [10, 4], regularizer=regularizer)
    buckets = tf.strings.to_hash_bucket_fast(sentences, 10)
    hub.add_signature(inputs={"sentences": sentences}, outputs=tf.gather(embeddings, buckets))


def image_fn():
    images = tf1.placeholder(tf.float32, [None, 8, 8, 3])
    hub.add_signature(inputs={"images": images}, outputs=tf.reduce_mean(images, [1, 2]))


text = hub.create_module_spec(text_fn, [(set(), {}), ({"train"}, {})])
for name, value in (("text", 1.0), ("text_2", 2.0)):
    values = {"embeddings": np.full([10, 4], value, np.float32)}
    text.export_values(f"modules/{name}", values, overwrite=True)
hub.create_module_spec(image_fn).export_values("modules/images", {}, overwrite=True)
if not os.path.exists("modules/saved_model"):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 3])
        y = tf.matmul(x, tf1.get_variable("w", [3, 2]))
        session.run(tf1.global_variables_initializer())
        tf1.saved_model.simple_save(session, "modules/saved_model", {"x": x}, {"y": y})

names_in_examples = {
    "hub": hub, "tf": tf, "np": np, "input_fn": lambda: tf.data.Dataset.from_tensors(0.0)
}
results = {}
for name in names:
    module, _, attribute = name.rpartition(".")
    value = getattr(importlib.import_module(module), attribute)
    # find() would skip classes that say they are from another module.
    finder = doctest.DocTestFinder(exclude_empty=True)
    report = []
    runner = doctest.DocTestRunner(verbose=False)
    examples = 0
    for test in finder.find(value, name, module=False, globs=dict(names_in_examples)):
        if test.name.startswith(name):
            examples += len(test.examples)
            runner.run(test, out=report.append)
    results[name] = [examples, "".join(report)]
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> dict[str, tuple[int, str]]:
    """The number of lines of examples, and what went wrong in them, by the name."""
    found: dict[str, tuple[int, str]] = {}
    for with_estimator, names in (("yes", WITH_ESTIMATOR), ("no", OTHERS)):
        directory = str(tmp_path_factory.mktemp("doctests"))
        full_names = [f"hubmodule.{name}" for name in names] + (
            HELD if with_estimator == "no" else []
        )
        environment = {"TF_USE_LEGACY_KERAS": "", "COLUMNS": "200"}
        done = run_python("-c", RUNNER, directory, with_estimator, *full_names, **environment)
        assert done.returncode == 0, done.stderr[-3000:]
        found.update(json.loads(done.stdout.splitlines()[-1]))
    return found


@pytest.mark.parametrize("name", [*(f"hubmodule.{n}" for n in WITH_ESTIMATOR + OTHERS), *HELD])
def test_the_examples_run(name, results):
    examples, failures = results[name]
    assert examples > 0
    assert failures == ""


def list_arguments(name: str) -> list[str]:
    value = getattr(hub, name)
    target = value.__init__ if inspect.isclass(value) else value
    parameters = inspect.signature(target).parameters.values()
    hidden = ("self", "args", "kwargs", "_sentinel")
    return [p.name for p in parameters if p.name not in hidden]


@pytest.mark.parametrize("name", sorted(set(hub.__all__) - {"__version__", "ImageModuleInfo"}))
def test_every_argument_is_described(name):
    text = inspect.getdoc(getattr(hub, name)) or ""
    for argument in list_arguments(name):
        assert f"    {argument}: " in text or f"    *{argument}: " in text, argument


@pytest.mark.parametrize(
    "holder",
    ["Module", "ModuleSpec", "TensorInfo", "LatestModuleExporter", "KerasLayer"],
)
def test_every_public_method_has_a_docstring(holder):
    cls = getattr(hub, holder)
    if holder == "KerasLayer":
        cls = importlib.import_module("hubmodule.keras.module_layer").ModuleLayer
    public = [value for key, value in vars(cls).items() if not key.startswith("_")]
    described = [v for v in public if callable(v) or isinstance(v, (property, classmethod))]
    assert described
    assert [value for value in described if not inspect.getdoc(value)] == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

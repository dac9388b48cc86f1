"""reusable_module: a module that is called and trained."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

import hubmodule as hub
from hubmodule.errors import NoSuchVariantError, UnregisteredOpsError
from hubmodule.format import saved_model
from hubmodule.module.apply_graph import add_application
from hubmodule.tf2 import application
from tests.module.graphs import affine, exported
from tests.tf2 import fine_tuning

v1 = tf.compat.v1
GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"


def test_only_calls_for_training_run_updates(tmp_path):
    module = hub.load(exported(tmp_path / "m", affine))
    assert module([1.0]).numpy().tolist() == [3.0]
    assert {v.numpy() for v in module.variables} == {2.0, 1.0}
    module([1.0], training=True)
    assert {v.numpy() for v in module.variables} == {2.0, 11.0}


def test_a_tensor_may_say_whether_it_is_for_training(tmp_path):
    module = hub.load(exported(tmp_path / "m", affine))
    call = tf.function(lambda training: module(tf.constant([1.0]), training))
    assert call(tf.constant(False)).numpy().tolist() == [3.0]
    assert {v.numpy() for v in module.variables} == {2.0, 1.0}
    call(tf.constant(True))
    assert {v.numpy() for v in module.variables} == {2.0, 11.0}


def test_three_functions_lie_between_a_call_and_the_graph(monkeypatch):
    package = Path(application.__file__).parents[1]
    stacks = []

    def record(*args: Any) -> Any:
        frames = traceback.extract_stack()
        stacks.append([f.name for f in frames if package in Path(f.filename).parents])
        return add_application(*args)

    monkeypatch.setattr(application, "add_application", record)
    hub.load(str(GOLDEN / "batch_norm"))(tf.ones([1, 3]))
    assert stacks == [["__call__", "__call__", "apply_signature", "add_ops"]]


def test_the_repr_says_what_was_loaded():
    path = str(GOLDEN / "batch_norm")
    assert repr(hub.load(path, tags={"train"})) == (
        f"<hub.load({path!r}): module of the TF1 Hub format, graph variant ['train'] of "
        "[[], ['train']], signatures ['default'], 5 variables>"
    )


def test_losses_follow_the_variables(tmp_path):
    module = hub.load(exported(tmp_path / "m", affine))
    [loss], [w] = module.regularization_losses, module.trainable_variables
    assert loss().numpy() == 2.0
    w.assign(4.0)
    assert loss().numpy() == 8.0


def test_losses_are_no_signatures(tmp_path):
    module = hub.load(exported(tmp_path / "m", affine))
    assert list(module.signatures) == ["default"]
    with pytest.raises(NoSuchVariantError, match="absent"):
        module.with_tags({"absent"})


def affine_in_doubles() -> None:
    x = v1.placeholder(tf.float64, [None])
    w = v1.get_variable(
        "w", initializer=tf.constant(3.0, tf.float64), regularizer=lambda value: value * value
    )
    hub.add_signature(inputs=x, outputs=w * x)


def test_losses_keep_their_type(tmp_path):
    module = hub.load(exported(tmp_path / "m", affine_in_doubles))
    [loss] = module.regularization_losses
    assert (loss().dtype, loss().numpy()) == (tf.float64, 9.0)


def test_a_module_with_nothing_but_losses_that_run_is_refused(tmp_path):
    """The signature needs an unknown op, the loss does not."""
    path = exported(tmp_path / "m", affine)
    [meta_graph] = saved_model.read(path)
    for node in meta_graph.graph_def.node:
        if node.op == "AddV2":
            node.op = "UnknownOfHubmoduleTests"
    proto = SavedModel(saved_model_schema_version=1, meta_graphs=[meta_graph])
    (tmp_path / "m" / "saved_model.pb").write_bytes(proto.SerializeToString())
    with pytest.raises(UnregisteredOpsError, match="UnknownOfHubmoduleTests"):
        hub.load(path)


def printed(program: str) -> Any:
    """What a program prints, as a Python value; it cannot import this package."""
    program = "import sys; sys.modules['hubmodule'] = None\nimport tensorflow as tf\n" + program
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    return ast.literal_eval(run.stdout.splitlines()[-1])


def test_a_saved_module_trains_without_this_package(tmp_path):
    module = hub.load(fine_tuning.published(tmp_path / "m"))
    tf.saved_model.save(module, str(tmp_path / "saved"))
    x, _ = fine_tuning.batches()[0]
    found = printed(
        f"""
module = tf.saved_model.load({str(tmp_path / "saved")!r})
with tf.GradientTape() as tape:
    y = module(tf.constant({x.tolist()}), training=True)
    loss = tf.add_n([tf.reduce_sum(y), *(loss() for loss in module.regularization_losses)])
gradients = tape.gradient(loss, module.trainable_variables)
print([v.numpy().tolist() for v in [y, loss, *gradients, *module.variables]])
"""
    )
    with tf.GradientTape() as tape:
        y = module(x, training=True)
        loss = tf.add_n([tf.reduce_sum(y), *(loss() for loss in module.regularization_losses)])
    gradients = tape.gradient(loss, module.trainable_variables)
    expected = [y, loss, *gradients, *module.variables]
    for here, there in zip(expected, found, strict=True):
        np.testing.assert_allclose(there, here.numpy(), rtol=1e-5, atol=1e-5)


def test_a_saved_module_keeps_signatures_and_assets(tmp_path):
    shutil.copytree(GOLDEN / "twin_assets", tmp_path / "m")
    module = hub.load(str(tmp_path / "m"))
    tf.saved_model.save(module, str(tmp_path / "saved"))
    shutil.rmtree(tmp_path / "m")
    (tmp_path / "saved").rename(tmp_path / "moved")
    found = printed(
        f"""
module = tf.saved_model.load({str(tmp_path / "moved")!r})
words = tf.constant(["red", "blue", "sun"])
outputs = module.signatures["serving_default"](words)
text = module.signatures["text"]()["default"].numpy()
numbers = {{name: output.numpy().tolist() for name, output in outputs.items()}}
print([sorted(module.signatures), numbers, text])
"""
    )
    names, outputs, text = found
    assert names == ["default", "serving_default", "text"]
    assert outputs == {"default": [0, 2, -1], "stars": [1, -1, 0]}
    assert text == b"sun\nred\nsirius\nvega\n"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

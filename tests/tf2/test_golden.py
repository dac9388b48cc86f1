"""Golden modules, loaded as objects, give and learn what was recorded in graph mode."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.tf2.convert import convert
from tests.golden import recordings, values
from tests.golden.definitions import DEFINITIONS, Call
from tests.golden.observe import LEARNING_RATE
from tests.tf2.golden_calls import CALLS, GOLDEN, recorded
from tests.tf2.values import plain

TRAINED = [parameters for parameters in CALLS if parameters.values[2].trained]


@pytest.mark.parametrize("writer, name, call", CALLS)
def test_outputs(writer: str, name: str, call: Call) -> None:
    inputs, expected = recorded(recordings.outputs_file(GOLDEN / writer, name, call))
    module = hub.load(str(GOLDEN / writer / name), tags=call.tags)
    outputs = module.apply(inputs, call.signature)
    found = {key: plain(value) for key, value in outputs.items()}
    assert values.differences(found, expected) == {}


def _mean(output: Any) -> Any:
    numbers = getattr(output, "flat_values", getattr(output, "values", output))
    return tf.reduce_mean(numbers) if numbers.dtype.is_floating else tf.constant(0.0)


@pytest.mark.parametrize("writer, name, call", TRAINED)
def test_variables_after_a_training_step(writer: str, name: str, call: Call) -> None:
    expected = values.load(recordings.training_file(GOLDEN / writer, name, call))
    inputs, _ = recorded(recordings.outputs_file(GOLDEN / writer, name, call))
    module = hub.load(str(GOLDEN / writer / name), tags=call.tags)
    with tf.GradientTape() as tape:
        outputs = module.apply(inputs, call.signature, training=True)
        losses = [loss() for loss in module.regularization_losses]
        loss = tf.add_n([*(_mean(output) for output in outputs.values()), *losses])
    gradients = tape.gradient(loss, module.trainable_variables)
    for variable, gradient in zip(module.trainable_variables, gradients, strict=True):
        variable.assign_sub(LEARNING_RATE * tf.convert_to_tensor(gradient))
    found = {f"var:module/{v.name.partition(':')[0]}": plain(v) for v in module.variables}
    found["regularization"] = np.sort(np.array([loss.numpy() for loss in losses]))
    expected["regularization"] = expected["regularization"].astype(found["regularization"].dtype)
    assert values.differences(found, expected) == {}


@pytest.mark.parametrize(
    "name",
    ["batch_norm", "control_flow_v1", "dense_regularized", "twin_assets", "ref_variables"],
)
def test_a_converted_module_works_without_this_package(name: str, tmp_path: Path) -> None:
    convert(str(GOLDEN / "made_by_tf215" / name), str(tmp_path / "converted"))
    module = hub.load(str(GOLDEN / "made_by_tf215" / name))
    call = DEFINITIONS[name].calls[0]
    inputs, _ = recorded(recordings.outputs_file(GOLDEN / "made_by_tf215", name, call))
    program = f"""
import sys; sys.modules["hubmodule"] = None
import numpy as np, tensorflow as tf
module = tf.saved_model.load({str(tmp_path / "converted")!r})
x = tf.constant({inputs["default"].tolist()!r})
y = module.signatures["default"](x)["default"]
assert len(module.trainable_variables) == {len(module.trainable_variables)}
assert len(module.regularization_losses) == {len(module.regularization_losses)}
before = module(x)
for training in (False, True):
    with tf.GradientTape() as tape:
        z = module(x, training=training)
        z = z["default"] if isinstance(z, dict) else z
    gradients = tape.gradient(z, module.trainable_variables)
    assert None not in gradients
print(y.numpy().tolist())
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    expected = module(inputs["default"]).numpy().tolist()
    found = ast.literal_eval(run.stdout.strip().splitlines()[-1])
    np.testing.assert_allclose(found, expected, atol=1e-5)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

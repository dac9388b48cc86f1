"""recomputation: gradients through loops and conditionals of TF1."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import ModuleFormatError
from hubmodule.tf2 import recomputation
from hubmodule.tf2.application import Application
from hubmodule.tf2.convert import convert
from tests.golden.definitions import control_flow
from tests.module.graphs import exported
from tests.tf2.parts import parts

v1 = tf.compat.v1
GOLDEN = Path(__file__).parent.parent / "golden" / "made_by_tf215"


def published(path: Path, compute: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> str:
    """A module that computes something from its input x [2] and its variable w = [2, 3]."""

    def module_fn() -> None:
        x = v1.placeholder(tf.float32, [2])
        w = v1.get_variable("w", initializer=tf.constant([2.0, 3.0]))
        hub.add_signature(inputs=x, outputs=compute(x, w))

    with control_flow(v1, 1):
        return exported(path, module_fn)


def gradients(path: str, x: tf.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The output, and the gradients of its sum by the input and by w."""
    module = hub.load(path)
    [w] = module.trainable_variables
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = module(x)
    by_x, by_w = tape.gradient(y, [x, w])
    return y.numpy(), by_x.numpy(), tf.convert_to_tensor(by_w).numpy()


@pytest.mark.parametrize(
    "name, expected", [("control_flow_v1", True), ("control_flow_v2", False), ("batch_norm", False)]
)
def test_control_flow_of_tf1_is_found(name: str, expected: bool) -> None:
    variant, state = parts(GOLDEN / name)
    assert recomputation.is_needed(Application(variant, "default", state)) is expected


@pytest.mark.parametrize("sign, by_w", [(1.0, [1.0, 2.0]), (-1.0, [0.0, 0.0])])
def test_a_branch_reads_a_variable(sign: float, by_w: list[float], tmp_path: Path) -> None:
    path = published(
        tmp_path / "m", lambda x, w: v1.cond(x[0] > 0.0, lambda: x * w.read_value(), lambda: -x)
    )
    found = gradients(path, tf.constant([1.0, 2.0]) * sign)[2]
    np.testing.assert_array_equal(found, by_w)


def test_a_loop_gathers_rows_of_a_variable(tmp_path: Path) -> None:
    def looked_up(x: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
        def step(i: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return i + 1, total + x * tf.gather(w, 1)

        return v1.while_loop(lambda i, _: i < 4, step, (0, tf.zeros([2])))[1]

    y, by_x, by_w = gradients(published(tmp_path / "m", looked_up), tf.constant([1.0, 2.0]))
    np.testing.assert_array_equal(y, [12.0, 24.0])
    np.testing.assert_array_equal(by_x, [12.0, 12.0])
    np.testing.assert_array_equal(by_w, [0.0, 12.0])


AROUND = {
    "loop": lambda call, x: tf.while_loop(
        lambda i, _: i < 1, lambda i, y: (i + 1, call(y)), [0, x]
    )[1],
    "conditional": lambda call, x: tf.cond(x[0] > 0.0, lambda: call(x), lambda: x),
    "map": lambda call, x: tf.map_fn(call, x[tf.newaxis])[0],
}


@pytest.mark.parametrize("around", AROUND)
def test_control_flow_of_tf2_around_it(around: str, tmp_path: Path) -> None:
    path = published(tmp_path / "m", lambda x, w: v1.cond(x[0] > 0.0, lambda: x * w, lambda: -x))
    module = hub.load(path)
    [w] = module.trainable_variables
    x = tf.constant([3.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.function(AROUND[around], autograph=False)(module, x)
    by_x, by_w = tape.gradient(y, [x, w])
    np.testing.assert_array_equal(by_x, w)
    np.testing.assert_array_equal(by_w, x)


def test_random_numbers_are_drawn_once(tmp_path: Path) -> None:
    def dropped(x: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
        mask = tf.random.uniform([2])
        return v1.cond(x[0] > 0.0, lambda: w * mask, lambda: w * 0.0)

    module = hub.load(published(tmp_path / "m", dropped))
    [w] = module.trainable_variables
    for _ in range(3):
        with tf.GradientTape() as tape:
            y = module([1.0, 1.0])
        np.testing.assert_allclose(tape.gradient(y, w), y / w, rtol=1e-6)


def test_random_numbers_in_a_branch_cannot_be_drawn_again(tmp_path: Path) -> None:
    path = published(
        tmp_path / "m",
        lambda x, w: v1.cond(x[0] > 0.0, lambda: w * tf.random.uniform([2]), lambda: w),
    )
    module = hub.load(path)
    assert module([1.0, 1.0]).shape == [2]
    with pytest.raises(ModuleFormatError, match="random"), tf.GradientTape() as tape:
        tape.gradient(module([1.0, 1.0]), module.trainable_variables)


FLOWS = {
    "loop": lambda x, w: v1.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, y * w), (0, x))[1],
    "conditional": lambda x, w: v1.cond(x[0] > 0.0, lambda: x * w * w, lambda: -x),
}
# What is passed to the second input of a module; "plain" has none.
MORE = {
    "plain": {},
    "unused": {"more": tf.constant(1.0)},
    "integer": {"more": tf.constant(1)},
    "passed through": {"more": tf.constant(5.0)},
}
WAYS = ["call", "signature", "training", "converted call", "converted signature", "KerasLayer"]


@pytest.fixture(scope="module", params=itertools.product(FLOWS, MORE), ids=" with ".join)
def two_inputs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, tf.Tensor]]:
    """A module that gives x * w * w for x[0] > 0, and values of its inputs."""
    flow, kind = request.param

    def module_fn() -> None:
        inputs = {"x": v1.placeholder(tf.float32, [2])}
        w = v1.get_variable("w", initializer=tf.constant([2.0, 3.0]))
        outputs = {"default": FLOWS[flow](inputs["x"], w)}
        if kind == "integer":
            inputs["more"] = v1.placeholder(tf.int32, [])
            outputs["count"] = inputs["more"] + 1
        elif kind != "plain":
            inputs["more"] = v1.placeholder(tf.float32, [])
            outputs |= {"same": inputs["more"]} if kind == "passed through" else {}
        hub.add_signature(inputs=inputs, outputs=outputs)

    with control_flow(v1, 1):
        path = exported(tmp_path_factory.mktemp("module") / "m", module_fn)
    return path, {"x": tf.constant([1.0, 2.0]), **MORE[kind]}


@pytest.mark.parametrize("way", WAYS)
def test_inputs_of_every_kind(
    way: str, two_inputs: tuple[str, dict[str, tf.Tensor]], tmp_path: Path
) -> None:
    path, inputs = two_inputs
    module = hub.load(path)
    if way.startswith("converted"):
        convert(path, str(tmp_path / "converted"))
        module = tf.saved_model.load(str(tmp_path / "converted"))
    apply = {
        "training": lambda: module(inputs, training=True),
        "KerasLayer": lambda: hub.KerasLayer(module, trainable=True)(inputs),
    }.get(way, lambda: module(inputs))
    if way.endswith("signature"):
        apply = lambda: module.signatures["default"](**inputs)  # noqa: E731
    [w] = module.trainable_variables
    with tf.GradientTape() as tape:
        tape.watch(inputs["x"])
        outputs = apply()
        y = outputs["default"] if isinstance(outputs, dict) else outputs
    by_x, by_w = tape.gradient(y, [inputs["x"], w])
    np.testing.assert_allclose(y, [4.0, 18.0])
    np.testing.assert_allclose(by_x, [4.0, 9.0])
    np.testing.assert_allclose(by_w, [4.0, 12.0])


def test_an_input_that_is_passed_through_has_a_gradient(tmp_path: Path) -> None:
    def module_fn() -> None:
        x, more = v1.placeholder(tf.float32, []), v1.placeholder(tf.float32, [])
        with control_flow(v1, 1):
            y = v1.cond(x > 0.0, lambda: x, lambda: -x)
        hub.add_signature(inputs={"x": x, "more": more}, outputs={"y": y, "same": more})

    module = hub.load(exported(tmp_path / "m", module_fn))
    x, more = tf.constant(-3.0), tf.constant(5.0)
    with tf.GradientTape() as tape:
        tape.watch([x, more])
        outputs = module({"x": x, "more": more})
        y = outputs["y"] + 2.0 * outputs["same"]
    assert [float(g) for g in tape.gradient(y, [x, more])] == [-1.0, 2.0]


def test_switches_of_the_process_stay(tmp_path: Path) -> None:
    """While gradients are built, what other threads build has the control flow of TF2."""
    path = published(tmp_path / "m", lambda x, w: v1.cond(x[0] > 0, lambda: x * w, lambda: x))
    kinds: set[str] = set()
    stop = threading.Event()

    def build() -> None:
        while not stop.is_set():
            with tf.Graph().as_default() as graph:
                v1.cond(v1.placeholder(tf.bool, []), lambda: 1.0, lambda: 2.0)
                kinds.update(operation.type for operation in graph.get_operations())

    thread = threading.Thread(target=build)
    thread.start()
    try:
        gradients(path, tf.constant([1.0, 2.0]))
    finally:
        stop.set()
        thread.join()
    assert "StatelessIf" in kinds
    assert "Merge" not in kinds


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

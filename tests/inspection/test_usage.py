"""Tests of hubmodule.inspection.usage: what is to be pasted runs."""

from __future__ import annotations

import dataclasses
import sys

import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.inspection.facts import ForeignOp, ModuleFormat, SignatureFacts
from hubmodule.inspection.usage import write_usage
from tests.inspection.modules import ALL_GOLDEN, HOSTILE, golden, tensor

# Its sparse input does not tell its shape, so no value can be given that fits.
UNKNOWN_SHAPE = "made_by_tf115/sparse"
SNIPPETS = [
    (f"{path.parent.name}/{path.name}", usage.way, usage.code)
    for path in ALL_GOLDEN
    if not str(path).endswith(UNKNOWN_SHAPE)
    for usage in hub.inspect(path).usage
]


@pytest.mark.parametrize(
    "code", [s[2] for s in SNIPPETS], ids=[f"{s[0]}, {s[1]}" for s in SNIPPETS]
)
def test_it_runs(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(code, {})
    assert capsys.readouterr().out or "column = " in code


@pytest.mark.parametrize("way", range(3))
def test_many_inputs_have_a_line_each(way: int) -> None:
    inputs = tuple(tensor(f"a_long_name_{number}") for number in range(4))
    many = SignatureFacts("default", inputs, (tensor("default"),))
    (variant,) = hub.inspect(golden("image")).variants
    variant = dataclasses.replace(variant, signatures=(many,))
    found = write_usage("/modules/m", ModuleFormat.TF1_HUB, [variant], (), (), ())[way]
    assert '    "a_long_name_1": tf.zeros([1, 3]),\n' in found.code
    assert max(map(len, found.code.splitlines())) < 80
    compile(found.code, "usage", "exec")


def ways(name: str) -> list[str]:
    return [usage.way for usage in hub.inspect(golden(name)).usage]


def test_only_ways_that_work() -> None:
    assert ways("sentences") == ["graph mode", "Estimator column", "Keras", "load"]
    assert ways("image") == ["graph mode", "Estimator column", "Keras", "load"]
    assert ways("dense_regularized") == ["graph mode", "Keras", "load"]
    assert ways("sparse") == ["graph mode", "load"]


@pytest.mark.parametrize("callable_root", [True, False])
def test_tf2(callable_root: bool, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tf.Module()
    function = tf.function(lambda x: x + 1.0, input_signature=[tf.TensorSpec([None, 2], name="x")])
    if callable_root:
        root.__call__ = function
    tf.saved_model.save(root, str(tmp_path), signatures={"serving_default": function})
    found = hub.inspect(tmp_path).usage
    assert [u.way for u in found] == (["Keras", "load"] if callable_root else ["load"])
    for usage in found:
        exec(usage.code, {})
        assert "1." in capsys.readouterr().out


def test_a_tf1_saved_model(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 2])
        tf.compat.v1.saved_model.simple_save(
            session, str(tmp_path / "m"), {"a/b": x}, {"y": x + 1.0}
        )
    found = hub.inspect(tmp_path / "m").usage
    assert [usage.way for usage in found] == ["graph mode", "load"]
    for usage in found:
        exec(usage.code, {})
        assert "1." in capsys.readouterr().out


def test_packages_are_imported_and_names_are_literals() -> None:
    facts = hub.inspect(golden("image"))
    ops = [ForeignOp("Op", "tensorflow_text"), ForeignOp("Other", None)]
    found = write_usage(HOSTILE, ModuleFormat.TF1_HUB, facts.variants, (), (), ops)
    for usage in found:
        assert "import tensorflow_text  # registers ops" in usage.code
        compile(usage.code, "usage", "exec")
        assert HOSTILE not in usage.code


def test_no_variants() -> None:
    assert write_usage("m", ModuleFormat.TF1_HUB, (), (), (), ()) == ()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

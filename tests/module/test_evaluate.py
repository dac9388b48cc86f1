"""eval_function_for_module: modules as functions of values."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from tests.module.graphs import affine, array, exported
from tests.processes import run_code

v1 = tf.compat.v1


def test_values_in_and_out(tmp_path):
    with hub.eval_function_for_module(exported(tmp_path / "m", affine)) as f:
        result = f([1.0, 2.0])
        assert isinstance(result, np.ndarray)
        assert result.tolist() == [3.0, 5.0]
        assert f(array(3), as_dict=True)["default"].tolist() == [7.0]
        assert f({"default": [4.0]}, signature="default").tolist() == [9.0]


def test_the_repr_says_what_it_is():
    with hub.eval_function_for_module(hub.create_module_spec(affine)) as f:
        assert repr(f).startswith("<hub.eval_function_for_module: function of <hub.Module 'module'")


def test_a_spec_with_tags():
    def module_fn(value):
        hub.add_signature("get", outputs={"value": tf.constant(value)})

    spec = hub.create_module_spec(module_fn, [({"one"}, {"value": 1}), ({"two"}, {"value": 2})])
    with hub.eval_function_for_module(spec, tags={"two"}) as f:
        assert f(signature="get", as_dict=True) == {"value": 2}


def test_errors_are_those_of_a_module():
    with hub.eval_function_for_module(hub.create_module_spec(affine)) as f:
        with pytest.raises(KeyError, match="'none'"):
            f([1.0], signature="none")
        with pytest.raises(TypeError, match=r"lacks the inputs \['default'\]"):
            f()
        with pytest.raises(TypeError, match="by name"):
            f([1.0], "none")
        assert f([1.0]).tolist() == [3.0]


def test_calls_do_not_grow_the_graph(monkeypatch):
    graphs = []
    make_graph = tf.Graph
    monkeypatch.setattr(tf, "Graph", lambda: graphs.append(make_graph()) or graphs[-1])
    spec = hub.create_module_spec(affine)
    with hub.eval_function_for_module(spec) as f:
        f([1.0])
        size = len(graphs[-1].get_operations())
        for _ in range(5):
            f([1.0])
        assert len(graphs[-1].get_operations()) == size


def test_the_callers_graph_and_mode_stay():
    with tf.Graph().as_default() as graph:
        with hub.eval_function_for_module(hub.create_module_spec(affine)) as f:
            f([1.0])
            assert v1.get_default_graph() is graph
            assert v1.get_default_session() is None
        assert graph.get_operations() == []
    with hub.eval_function_for_module(hub.create_module_spec(affine)) as f:
        assert tf.executing_eagerly()
        assert f(tf.constant([1.0]).numpy()).tolist() == [3.0]


def test_the_session_is_closed_even_after_an_error():
    with pytest.raises(KeyError), hub.eval_function_for_module(hub.create_module_spec(affine)) as f:
        raise KeyError
    with pytest.raises(RuntimeError, match=r"[Cc]losed"):
        f([1.0])


def test_a_context_that_is_open_when_python_ends_is_closed_before_tensorflow_is_gone():
    done = run_code(
        """
        import atexit, gc

        def take_tensorflow_apart():
            global context, evaluate
            session.tf_session = None
            del context, evaluate
            gc.collect()

        atexit.register(take_tensorflow_apart)  # The first to be registered runs last.
        import tensorflow as tf
        from tensorflow.python.client import session
        import hubmodule as hub

        def module_fn():
            hub.add_signature(outputs=tf.constant(1.0))

        context = hub.eval_function_for_module(hub.create_module_spec(module_fn))
        evaluate = context.__enter__()
        print(evaluate())
        """
    )
    assert done.stdout.split() == ["1.0"]
    assert "Exception" not in done.stderr


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

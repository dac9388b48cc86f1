"""Applications: inputs, outputs, control flow around and inside modules, colocation, functions."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import function as function_v1  # noqa: TID251  # no public name

import hubmodule as hub
from hubmodule import errors
from tests.module.graphs import affine, array, evaluate, exported, initialised_session

v1 = tf.compat.v1


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture(params=["v1", "v2"])
def control_flow(request):
    """Both generations of control flow."""
    enabled = v1.control_flow_v2_enabled()
    (v1.enable_control_flow_v2 if request.param == "v2" else v1.disable_control_flow_v2)()
    yield request.param
    (v1.enable_control_flow_v2 if enabled else v1.disable_control_flow_v2)()


@pytest.fixture(params=[True, False], ids=["resource", "ref"])
def use_resource(request):
    return request.param


def spec_of(module_fn):
    return hub.create_module_spec(module_fn)


def scalar_module(use_resource=True):
    """Y = w * x, with w = 3."""

    def module_fn():
        x = v1.placeholder(tf.float32, [])
        w = v1.get_variable("w", initializer=tf.constant(3.0), use_resource=use_resource)
        hub.add_signature(inputs=x, outputs=w * x)

    return module_fn


def power_module():
    """Y = w ** n * x by a loop, with w = 2, and a conditional: y = 0 if n > 10."""

    def module_fn():
        x = v1.placeholder(tf.float32, [], name="x")
        n = v1.placeholder(tf.int32, [], name="n")
        w = v1.get_variable("w", initializer=tf.constant(2.0))
        _, power = v1.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * w), [0, x])
        y = v1.cond(n > 10, lambda: 0.0 * x, lambda: power)
        hub.add_signature(inputs={"x": x, "n": n}, outputs=y)

    return module_fn


class TestInputs:
    def two_inputs(self):
        a = v1.placeholder(tf.float32, [None, 2], name="a")
        b = v1.placeholder(tf.int64, [], name="b")
        hub.add_signature(inputs={"a": a, "b": b}, outputs={"default": a, "b2": b * 2})

    def test_values_become_tensors(self, graph):
        module = hub.Module(spec_of(self.two_inputs))
        outputs = module({"a": [[1, 2]], "b": np.int32(4)}, as_dict=True)
        values = evaluate(outputs)
        assert values["default"].tolist() == [[1.0, 2.0]]
        assert values["b2"] == 8

    def test_variables_are_values(self, graph):
        module = hub.Module(spec_of(scalar_module()))
        assert evaluate(module(v1.get_variable("mine", initializer=tf.constant(5.0)))) == 15.0

    def test_the_default_output_or_all(self, graph):
        module = hub.Module(spec_of(self.two_inputs))
        inputs = {"a": [[1.0, 2.0]], "b": 1}
        assert module(inputs).shape.as_list() == [1, 2]
        assert sorted(module(inputs, as_dict=True)) == ["b2", "default"]

    def test_an_input_passed_through_is_the_callers_tensor(self, graph):
        module = hub.Module(spec_of(self.two_inputs))
        given = tf.constant([[1.0, 2.0]])
        assert module({"a": given, "b": tf.constant(1, tf.int64)}) is given

    @pytest.mark.parametrize(
        ("inputs", "message"),
        [
            (
                {"a": [[1.0, 2.0]]},
                r"'default' lacks the inputs \['b'\]\. Pass .*'b': <hub.TensorInfo",
            ),
            ({"a": [[1.0, 2.0]], "b": 1, "c": 2}, r"'default' has the unknown inputs \['c'\]\."),
            ([[1.0, 2.0]], r"expects multiple inputs. Use a dict with the keys \['a', 'b'\]"),
            ({"a": [[1.0, 2.0]], "c": 2}, r"inputs \['b'\] and has the unknown inputs \['c'\]"),
            (None, r"lacks the inputs \['a', 'b'\]"),
            ({"a": [[1.0, 2.0, 3.0]], "b": 1}, r"'a'.*shape=\(None, 2\).*shape \(1, 3\)"),
            ({"a": "text", "b": 1}, r"Can't convert input 'a'.*float32"),
            ({"a": [[1.0, 2.0]], "b": 1.5}, r"Can't convert input 'b'.*int64"),
        ],
    )
    def test_what_does_not_fit_is_a_type_error(self, graph, inputs, message):
        module = hub.Module(spec_of(self.two_inputs))
        before = len(graph.get_operations())
        with pytest.raises(TypeError, match=message):
            module(inputs)
        assert [op.type for op in graph.get_operations()[before:] if op.type != "Const"] == []

    def test_a_tensor_of_another_type_is_a_type_error(self, graph):
        module = hub.Module(spec_of(scalar_module()))
        with pytest.raises(TypeError, match=r"'default'.*float32.*int32"):
            module(tf.constant(1))

    def test_a_dense_tensor_is_no_sparse_one(self, graph):
        def module_fn():
            x = v1.sparse_placeholder(tf.float32)
            hub.add_signature(inputs=x, outputs=x.values)

        with pytest.raises(TypeError, match="sparse"):
            hub.Module(spec_of(module_fn))(tf.constant([[1.0]]))

    def test_no_inputs(self, graph):
        module = hub.Module(spec_of(lambda: hub.add_signature(outputs=tf.constant(1.0))))
        assert evaluate(module()) == 1.0
        assert evaluate(module({})) == 1.0
        with pytest.raises(TypeError, match="expects no inputs"):
            module(1.0)

    def test_no_default_output(self, graph):
        module = hub.Module(spec_of(lambda: hub.add_signature(outputs={"one": tf.constant(1.0)})))
        with pytest.raises(TypeError, match=r"no output named 'default'.*as_dict=True.*'one'"):
            module()
        assert evaluate(module(as_dict=True)) == {"one": 1.0}

    def test_positional_signatures_are_refused(self, graph):
        module = hub.Module(spec_of(scalar_module()))
        with pytest.raises(TypeError, match="by name"):
            module(1.0, "default")

    def test_a_feed_may_override_a_tensor_within(self, graph):
        def module_fn():
            x = v1.placeholder(tf.float32, [])
            hidden = x * 2.0
            w = v1.get_variable("w", initializer=tf.constant(5.0))
            read = tf.identity(w)
            hub.add_signature(inputs=x, outputs=hidden + read)
            hub.add_signature("inner", {"hidden": hidden, "weight": read}, hidden + read)

        module = hub.Module(spec_of(module_fn))
        assert evaluate(module(1.0)) == 7.0
        assert evaluate(module({"hidden": 10.0, "weight": 1.0}, signature="inner")) == 11.0

    def test_a_feed_may_override_state(self, graph):
        def module_fn():
            w = v1.get_variable("w", initializer=tf.constant(5.0), use_resource=False)
            hub.add_signature(inputs=w.op.outputs[0], outputs=w * 2.0)

        assert evaluate(hub.Module(spec_of(module_fn))(3.0)) == 6.0


class TestCompositeValues:
    def test_sparse_in_and_out(self, graph, tmp_path):
        def module_fn():
            x = v1.sparse_placeholder(tf.float32, [None, 3])
            hub.add_signature(
                inputs=x, outputs=tf.SparseTensor(x.indices, x.values * 2, x.dense_shape)
            )

        path = exported(tmp_path / "m", module_fn)
        module = hub.Module(path)
        info = module.get_input_info_dict()["default"]
        assert (info.is_sparse, info.is_composite) == (True, True)
        assert info.type_spec == tf.SparseTensorSpec([None, 3], tf.float32)
        given = v1.SparseTensorValue([[0, 1], [1, 2]], [1.0, 2.0], [2, 3])
        result = evaluate(module(given))
        assert result.values.tolist() == [2.0, 4.0]
        assert result.indices.tolist() == [[0, 1], [1, 2]]
        result = evaluate(module(tf.SparseTensor([[0, 0]], [1.0], [1, 3])))
        assert result.values.tolist() == [2.0]
        with hub.eval_function_for_module(path) as f:
            assert f(given).values.tolist() == [2.0, 4.0]

    def test_ragged_in_and_out(self, graph, tmp_path):
        def module_fn():
            x = v1.ragged.placeholder(tf.float32, 1, [])
            hub.add_signature(inputs=x, outputs={"default": x * 2.0, "rows": x.nrows()})

        path = exported(tmp_path / "m", module_fn)
        module = hub.Module(path)
        info = module.get_input_info_dict()["default"]
        assert (info.is_sparse, info.is_composite, info.dtype) == (False, True, tf.float32)
        result = evaluate(module(tf.ragged.constant([[1.0], [2.0, 3.0]])))
        assert result.to_list() == [[2.0], [4.0, 6.0]]
        with hub.eval_function_for_module(path) as f:
            assert f(result).to_list() == [[4.0], [8.0, 12.0]]
            assert f(result, as_dict=True)["rows"] == 2

    def test_ragged_of_another_rank_is_a_type_error(self, graph):
        def module_fn():
            x = v1.ragged.placeholder(tf.float32, 1, [])
            hub.add_signature(inputs=x, outputs=x.flat_values)

        with pytest.raises(TypeError, match="composite"):
            hub.Module(spec_of(module_fn))(tf.ragged.constant([[[1.0]], [[2.0, 3.0]]]))


class TestTables:
    @staticmethod
    def _lookup(path):
        def module_fn():
            table = tf.lookup.StaticVocabularyTable(
                tf.lookup.TextFileInitializer(
                    str(path),
                    tf.string,
                    tf.lookup.TextFileIndex.WHOLE_LINE,
                    tf.int64,
                    tf.lookup.TextFileIndex.LINE_NUMBER,
                ),
                num_oov_buckets=1,
            )
            words = v1.placeholder(tf.string, [None])
            hub.add_signature(inputs=words, outputs=table.lookup(words))

        return module_fn

    def test_a_table_from_an_asset_moves_with_the_module(self, tmp_path):
        vocabulary = tmp_path / "vocabulary.txt"
        vocabulary.write_text("one\ntwo\n")
        path = exported(tmp_path / "m", self._lookup(vocabulary))
        vocabulary.unlink()
        tf.io.gfile.rename(path, str(tmp_path / "moved"))
        with tf.Graph().as_default():
            module = hub.Module(str(tmp_path / "moved"))
            output = module(["two", "three", "one"])
            assert evaluate(output).tolist() == [1, 2, 0]
            assets = evaluate(v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS))
            assert assets == [str(tmp_path / "moved" / "assets" / "vocabulary.txt").encode()]

    @pytest.mark.parametrize("name", ["part:1.txt", "..words"])
    def test_an_asset_of_an_odd_name(self, tmp_path, name):
        (tmp_path / name).write_text("one\ntwo\n")
        path = exported(tmp_path / "m", self._lookup(tmp_path / name))
        with hub.eval_function_for_module(path) as f:
            assert f(["two"]).tolist() == [1]

    def test_two_assets_of_one_base_name(self, tmp_path):
        for folder, words in (("a", "x\ny\n"), ("b", "y\nx\n")):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "vocabulary.txt").write_text(words)

        def module_fn():
            words = v1.placeholder(tf.string, [None])
            outputs = {}
            for folder in ("a", "b"):
                table = tf.lookup.StaticHashTable(
                    tf.lookup.TextFileInitializer(
                        str(tmp_path / folder / "vocabulary.txt"),
                        tf.string,
                        tf.lookup.TextFileIndex.WHOLE_LINE,
                        tf.int64,
                        tf.lookup.TextFileIndex.LINE_NUMBER,
                    ),
                    -1,
                )
                outputs[folder] = table.lookup(words)
            hub.add_signature(inputs=words, outputs=outputs)

        path = exported(tmp_path / "m", module_fn)
        with hub.eval_function_for_module(path) as f:
            outputs = f(["x", "y"], as_dict=True)
        assert {key: value.tolist() for key, value in outputs.items()} == {"a": [0, 1], "b": [1, 0]}

    def test_an_asset_read_by_a_signature_is_in_the_graph_once(self, tmp_path, graph):
        (tmp_path / "note.txt").write_text("hello")

        def module_fn():
            name = tf.constant(str(tmp_path / "note.txt"))
            v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, name)
            hub.add_signature(outputs=tf.io.read_file(name))

        module = hub.Module(exported(tmp_path / "m", module_fn))
        assert evaluate(module()) == b"hello"
        module()
        constants = [op for op in graph.get_operations() if op.type == "Const"]
        assert len(constants) == 1

    def test_tables_work_within_dataset_map(self, tmp_path, graph):
        vocabulary = tmp_path / "vocabulary.txt"
        vocabulary.write_text("one\ntwo\n")
        module = hub.Module(exported(tmp_path / "m", self._lookup(vocabulary)))
        dataset = tf.data.Dataset.from_tensor_slices([["two"], ["none"]]).map(module)
        iterator = v1.data.make_initializable_iterator(dataset)
        element = iterator.get_next()
        with initialised_session() as session:
            session.run(iterator.initializer)
            assert [session.run(element).tolist() for _ in range(2)] == [[1], [2]]


class TestControlFlowAround:
    """Applications inside of loops and conditionals, with gradients."""

    def check(self, module, output, expected, gradient):
        weights = module.variable_map["w"]
        (actual_gradient,) = v1.gradients(output, weights)
        assert evaluate([output, actual_gradient]) == pytest.approx([expected, gradient])

    def test_while_loop(self, graph, control_flow, use_resource):
        module = hub.Module(spec_of(scalar_module(use_resource)), trainable=True)
        _, output = v1.while_loop(
            lambda i, y: i < 3, lambda i, y: (i + 1, module(y)), [tf.constant(0), tf.constant(1.0)]
        )
        self.check(module, output, 27.0, 27.0)

    def test_cond(self, graph, control_flow, use_resource):
        module = hub.Module(spec_of(scalar_module(use_resource)), trainable=True)
        x = tf.constant(2.0)
        output = v1.cond(x > 1.0, lambda: module(x), lambda: x)
        self.check(module, output, 6.0, 2.0)

    def test_map_fn(self, graph, control_flow, use_resource):
        module = hub.Module(spec_of(scalar_module(use_resource)), trainable=True)
        output = tf.reduce_sum(tf.map_fn(module, tf.constant([1.0, 2.0])))
        self.check(module, output, 9.0, 3.0)

    def test_state_is_made_outside_of_a_loop(self, graph, control_flow):
        modules = []

        def body(i, y):
            modules.append(hub.Module(spec_of(scalar_module()), name="inside"))
            return i + 1, modules[-1](y)

        _, output = v1.while_loop(lambda i, y: i < 2, body, [tf.constant(0), tf.constant(1.0)])
        assert modules[0].graph is graph
        assert evaluate(output) == 9.0


class TestControlFlowInside:
    """Modules with loops and conditionals."""

    @pytest.fixture
    def path(self, tmp_path, control_flow):
        return exported(tmp_path / "power", power_module())

    def test_values_and_gradients(self, graph, path):
        module = hub.Module(path, trainable=True)
        output = module({"x": 3.0, "n": 4})
        (gradient,) = v1.gradients(output, module.variable_map["w"])
        assert evaluate([output, gradient]) == [48.0, 96.0]
        assert evaluate(module({"x": 3.0, "n": 11})) == 0.0

    def test_two_applications_and_gradients_of_inputs(self, graph, path):
        module = hub.Module(path, trainable=True)
        x = tf.constant(3.0)
        output = module({"x": module({"x": x, "n": 2}), "n": 3})
        gradients = v1.gradients(output, [x, module.variable_map["w"]])
        assert evaluate([output, *gradients]) == [96.0, 32.0, 240.0]

    @pytest.mark.parametrize("outer", ["v1", "v2"])
    def test_within_another_loop(self, graph, path, control_flow, outer):
        module = hub.Module(path, trainable=True)
        (v1.enable_control_flow_v2 if outer == "v2" else v1.disable_control_flow_v2)()
        _, output = v1.while_loop(
            lambda i, y: i < 2,
            lambda i, y: (i + 1, module({"x": y, "n": 2})),
            [tf.constant(0), tf.constant(1.0)],
        )
        assert evaluate(output) == 16.0
        if control_flow == outer:  # TensorFlow has no gradients of one generation in the other
            (gradient,) = v1.gradients(output, module.variable_map["w"])
            assert evaluate(gradient) == 32.0

    @pytest.mark.parametrize("outer", ["v1", "v2"])
    def test_within_another_conditional(self, graph, path, control_flow, outer):
        module = hub.Module(path, trainable=True)
        (v1.enable_control_flow_v2 if outer == "v2" else v1.disable_control_flow_v2)()
        x = tf.constant(3.0)
        output = v1.cond(x > 1.0, lambda: module({"x": x, "n": 4}), lambda: x)
        assert evaluate(output) == 48.0
        if (control_flow, outer) == ("v1", "v2"):
            with pytest.raises(ValueError, match="creates a resource in its body"):
                v1.gradients(output, module.variable_map["w"])  # TensorFlow cannot do it
        else:
            (gradient,) = v1.gradients(output, module.variable_map["w"])
            assert evaluate(gradient) == 96.0

    def test_within_map_fn_and_reexported(self, tmp_path, path):
        def module_fn():
            inner = hub.Module(path, trainable=True)
            xs = v1.placeholder(tf.float32, [None])
            hub.add_signature(inputs=xs, outputs=tf.map_fn(lambda x: inner({"x": x, "n": 2}), xs))

        with tf.Graph().as_default():
            module = hub.Module(exported(tmp_path / "outer", module_fn), trainable=True)
            output = module(array(1, 2))
            (gradient,) = v1.gradients(output, module.variable_map["module/w"])
            value, slope = evaluate([output, gradient])
        assert value.tolist() == [4.0, 8.0]
        assert slope == 12.0

    def test_modules_of_two_programs_with_functions_of_one_name(self, tmp_path, graph):
        v1.enable_control_flow_v2()

        def loop_module(factor):
            def module_fn():
                x = v1.placeholder(tf.float32, [])
                _, y = v1.while_loop(
                    lambda i, y: i < 2, lambda i, y: (i + 1, y * factor), [0, x], name="loop"
                )
                hub.add_signature(inputs=x, outputs=y)

            return module_fn

        paths = [exported(tmp_path / str(f), loop_module(f)) for f in (2.0, 3.0)]
        one_name = _with_equal_function_names(paths)
        assert len(one_name) == 2  # the condition and the body
        modules = [hub.Module(path) for path in paths]
        assert evaluate([module(1.0) for module in modules]) == [4.0, 9.0]


def _with_equal_function_names(paths):
    """Renames the functions of modules on disk by their order, as by two processes."""
    from tensorflow.core.protobuf import saved_model_pb2

    names = set()
    for path in paths:
        with open(path + "/saved_model.pb", "rb") as file:
            data = file.read()
        saved = saved_model_pb2.SavedModel.FromString(data)
        graph_def = saved.meta_graphs[0].graph_def
        for function in graph_def.library.function:
            old = function.signature.name
            kind = "body" if "body" in old else "cond"
            names.add(f"loop_{kind}_0")
            function.signature.name = f"loop_{kind}_0"
            for node in graph_def.node:
                for attr in node.attr.values():
                    if attr.func.name == old:
                        attr.func.name = f"loop_{kind}_0"
        with open(path + "/saved_model.pb", "wb") as file:
            file.write(saved.SerializeToString())
    return names


class TestFunctions:
    """Applications inside of function graphs nested in the module's graph."""

    def test_tf_function_with_gradient(self, graph, use_resource):
        module = hub.Module(spec_of(scalar_module(use_resource)), trainable=True)
        output = tf.function(lambda x: module(x) * 2.0)(tf.constant(2.0))
        assert evaluate(output) == 12.0
        if use_resource:
            (gradient,) = v1.gradients(output, module.variable_map["w"])
            assert evaluate(gradient) == 4.0

    def test_nested_functions_and_captured_inputs(self, graph):
        module = hub.Module(spec_of(scalar_module()))
        outside = tf.constant(4.0)

        @tf.function
        def inner():
            return module(outside)

        assert evaluate(tf.function(lambda: inner() + 1.0)()) == 13.0

    def test_dataset_map(self, graph):
        module = hub.Module(spec_of(affine))
        dataset = tf.data.Dataset.from_tensors(array(1, 2)).map(module)
        iterator = v1.data.make_initializable_iterator(dataset)
        element = iterator.get_next()
        with initialised_session() as session:
            session.run(iterator.initializer)
            assert session.run(element).tolist() == [3.0, 5.0]

    def test_autograph_leaves_the_module_alone(self, graph, caplog):
        module = hub.Module(spec_of(affine))
        dataset = tf.data.Dataset.from_tensors(array(1, 2)).map(lambda x: module(x))
        assert dataset.element_spec.shape.as_list() == [2]
        assert "AutoGraph" not in caplog.text

    def test_wrap_function(self, tmp_path):
        path = exported(tmp_path / "m", affine)
        initialisers = []

        def function(x):
            module = hub.Module(path)
            initialisers.append(v1.global_variables_initializer())
            return module(x)

        wrapped = v1.wrap_function(function, [tf.TensorSpec([None], tf.float32)])
        wrapped.prune([], initialisers[0])()
        assert wrapped(array(1)).numpy().tolist() == [3.0]

    def test_a_module_made_in_a_function_of_a_graph_lies_in_the_graph(self, graph):
        modules = []

        @tf.function
        def function(x):
            modules.append(hub.Module(spec_of(scalar_module())))
            return modules[0](x)

        output = function(tf.constant(2.0))
        assert modules[0].graph is graph
        assert evaluate(output) == 6.0

    def test_a_stateless_module_in_an_eager_function(self):
        def module_fn():
            x = v1.placeholder(tf.float32, [])
            hub.add_signature(inputs=x, outputs=x + 1.0)

        spec = spec_of(module_fn)
        assert tf.function(lambda x: hub.Module(spec)(x))(tf.constant(1.0)).numpy() == 2.0

    def test_functions_inside_of_modules(self, tmp_path, graph):
        def module_fn():
            x = v1.placeholder(tf.float32, [])
            w = v1.get_variable("w", initializer=tf.constant(3.0))
            hub.add_signature(inputs=x, outputs=tf.function(lambda y: y * y * w)(x))

        module = hub.Module(exported(tmp_path / "m", module_fn), trainable=True)
        output = module(2.0)
        (gradient,) = v1.gradients(output, module.variable_map["w"])
        assert evaluate([output, gradient]) == [12.0, 4.0]


class TestFunctionsOfTensorFlow1:
    """Applications inside of function.Defun, whose graphs are of another class."""

    def test_a_module_made_within_has_its_state_outside(self, graph):
        @function_v1.Defun(tf.float32)
        def compute(x):
            return hub.Module(spec_of(scalar_module()), trainable=True)(x)

        output = compute(tf.constant(2.0))
        (variable,) = v1.trainable_variables()
        assert variable.graph is graph
        (gradient,) = v1.gradients(output, variable)
        assert evaluate([output, gradient]) == [6.0, 2.0]

    def test_a_module_made_outside(self, graph, use_resource):
        module = hub.Module(spec_of(scalar_module(use_resource)))
        outside = tf.constant(4.0)

        @function_v1.Defun(tf.float32)
        def outer(x):
            @function_v1.Defun(tf.float32)
            def inner(y):
                return module(y) + module(outside)

            return inner(x)

        assert evaluate(outer(tf.constant(2.0))) == 18.0

    def test_tables_that_are_made_within(self, graph, tmp_path):
        def module_fn():
            x = v1.placeholder(tf.int64, [None])
            pairs = tf.lookup.KeyValueTensorInitializer(
                tf.constant([1, 2], tf.int64), tf.constant([10.0, 20.0])
            )
            table = tf.lookup.StaticHashTable(pairs, -1.0)
            hub.add_signature(inputs=x, outputs=table.lookup(x))

        path = exported(tmp_path / "m", module_fn)

        @function_v1.Defun(tf.int64)
        def compute(x):
            return hub.Module(path)(x)

        values = evaluate(compute(tf.constant([2, 3, 1], tf.int64)))
        assert values.tolist() == [20.0, -1.0, 10.0]


class TestTpu:
    def test_state_is_outside_of_a_replicated_function(self, graph):
        modules = []

        def computation(x):
            modules.append(hub.Module(spec_of(scalar_module())))
            return modules[0](x)

        v1.tpu.rewrite(computation, [tf.constant(1.0)])
        handle = modules[0].variable_map["w"].handle.op
        assert "_tpu_replicate" not in handle.node_def.attr
        product = [op for op in graph.get_operations() if op.type == "Mul"]
        assert all("_tpu_replicate" in op.node_def.attr for op in product)

    @pytest.mark.parametrize("replicated", ["body", "call"])
    def test_state_is_outside_of_a_function_of_tensorflow_1(self, graph, replicated):
        def computation(x):
            return hub.Module(spec_of(scalar_module()))(x)

        @function_v1.Defun(tf.float32)
        def compute(x):
            if replicated == "call":
                return computation(x)
            return v1.tpu.rewrite(computation, [x])[0]

        x = tf.constant(1.0)
        if replicated == "call":
            v1.tpu.rewrite(compute, [x])
        else:
            compute(x)
        handle = graph.get_operation_by_name("module/w")
        assert "_tpu_replicate" not in handle.node_def.attr
        (body,) = graph.as_graph_def().library.function
        assert "VarHandleOp" not in {node.op for node in body.node_def}
        (product,) = (node for node in body.node_def if node.op == "Mul")
        assert ("_tpu_replicate" in product.attr) == (replicated == "body")


class TestColocation:
    def test_constraints_on_state_follow_it(self, graph):
        def module_fn():
            x = v1.placeholder(tf.float32, [])
            w = v1.get_variable("w", initializer=tf.constant(2.0))
            with v1.colocate_with(w.handle.op):
                y = tf.multiply(w, x, name="y")
            hub.add_signature(inputs=x, outputs=y)

        output = hub.Module(spec_of(module_fn))(1.0)
        assert output.op.colocation_groups() == [b"loc:@module/w"]

    def test_constraints_on_state_that_is_not_read_follow_it(self, graph):
        def module_fn():
            x = v1.placeholder(tf.float32, [])
            w = v1.get_variable("w", initializer=tf.constant(2.0))
            with v1.colocate_with(w.handle.op):
                y = tf.multiply(x, 2.0, name="y")
            hub.add_signature(inputs=x, outputs=y)

        output = hub.Module(spec_of(module_fn))(1.0)
        assert output.op.colocation_groups() == [b"loc:@module/w"]

    def test_constraints_on_inputs_follow_the_callers_tensor(self, graph):
        def module_fn():
            x = v1.placeholder(tf.float32, [])
            with v1.colocate_with(x):
                y = tf.add(x, 1.0, name="y")
            hub.add_signature(inputs=x, outputs=y)

        module = hub.Module(spec_of(module_fn))
        with tf.device("/cpu:7"):
            anchor = tf.constant(0.0, name="anchor")
        with v1.colocate_with(anchor):
            given = tf.constant(1.0, name="given")
        output = module(given)
        assert output.op.colocation_groups() == [b"loc:@anchor"]
        assert output.device == "/device:CPU:7"

    def test_constraints_within_an_application(self, graph):
        def module_fn():
            x = v1.placeholder(tf.float32, [])
            hidden = tf.add(x, 1.0, name="hidden")
            with v1.colocate_with(hidden):
                y = tf.add(hidden, 1.0, name="y")
            hub.add_signature(inputs=x, outputs=y)

        module = hub.Module(spec_of(module_fn))
        module(1.0)
        assert module(1.0).op.colocation_groups() == [b"loc:@module_apply_default_1/hidden"]

    def test_contradictions_name_op_constraint_and_reason(self, graph):
        def module_fn():
            both = tf.split(v1.placeholder(tf.float32, [2]), 2, name="both")
            with v1.colocate_with(both[0]):
                y = tf.add(both[0], both[1], name="y")
            hub.add_signature(inputs={"a": both[0], "b": both[1]}, outputs=y)

        module = hub.Module(spec_of(module_fn))
        a, b = tf.constant([1.0], name="a"), tf.constant([1.0], name="b")
        with pytest.raises(ValueError, match=r"'y'.*'loc:@both'.*\[loc:@a\] or \[loc:@b\]"):
            module({"a": a, "b": b})
        with v1.colocate_with(a):
            c = tf.constant([1.0], name="c")
        assert module({"a": a, "b": c}).op.colocation_groups() == [b"loc:@a"]

    def test_an_input_must_not_be_colocated(self):
        def module_fn():
            with v1.colocate_with(tf.constant(1.0, name="other")):
                x = v1.placeholder(tf.float32, [], name="x")
            hub.add_signature(inputs=x, outputs=x)

        with pytest.raises(errors.ColocationError, match=r"'x:0' of signature 'default'.*'other'"):
            spec_of(module_fn)

    def test_state_must_not_be_colocated_with_other_ops(self):
        def module_fn():
            x = v1.placeholder(tf.float32, [], name="x")
            with v1.colocate_with(tf.add(x, 1.0, name="other")):
                w = v1.get_variable("w", initializer=tf.constant(1.0))
            hub.add_signature(inputs=x, outputs=w + x)

        with pytest.raises(errors.ColocationError, match=r"State op 'w'.*'other'"):
            spec_of(module_fn)

    def test_state_may_be_colocated_with_state(self, graph):
        def module_fn():
            first = v1.get_variable("first", initializer=tf.constant(1.0))
            with v1.colocate_with(first.handle.op):
                second = v1.get_variable("second", initializer=tf.constant(2.0))
            hub.add_signature(outputs=first + second)

        module = hub.Module(spec_of(module_fn))
        groups = module.variable_map["second"].handle.op.colocation_groups()
        assert groups == [b"loc:@module/first"]
        assert evaluate(module()) == 3.0

    def test_control_inputs_from_inputs_are_kept(self, graph):
        def module_fn():
            x = v1.placeholder(tf.float32, [])
            with tf.control_dependencies([x]):
                one = tf.constant(1.0, name="one")
            hub.add_signature(inputs=x, outputs=one)

        given = tf.constant(5.0, name="given")
        output = hub.Module(spec_of(module_fn))(given)
        assert [op.name for op in output.op.control_inputs] == ["given"]


class TestSharing:
    def test_applications_share_state(self, graph):
        module = hub.Module(spec_of(affine))
        first, second = module(array(1)), module(array(2))
        with initialised_session() as session:
            session.run(v1.assign(module.variable_map["w"], 10.0))
            assert [v.tolist() for v in session.run([first, second])] == [[11.0], [21.0]]

    def test_outputs_nobody_fetches_do_not_run(self, graph):
        def module_fn():
            bad = v1.get_variable("bad", initializer=tf.constant(1.0)) + 0.0
            with tf.control_dependencies([tf.debugging.assert_equal(bad, 2.0)]):
                bad = tf.identity(bad)
            hub.add_signature(outputs={"good": tf.constant(3.0), "bad": bad})

        outputs = hub.Module(spec_of(module_fn))(as_dict=True)
        assert evaluate(outputs["good"]) == 3.0
        with pytest.raises(tf.errors.InvalidArgumentError):
            evaluate(outputs["bad"])


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

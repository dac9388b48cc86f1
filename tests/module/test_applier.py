"""ModuleApplier: modules as functions that other processes can get."""

from __future__ import annotations

import concurrent.futures
import pickle
import sys

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from tests.module.graphs import affine, exported
from tests.processes import run_code

v1 = tf.compat.v1


def numbers():
    """Module function: a default signature that parses numbers, and others."""
    text = v1.placeholder(tf.string, [None])
    hub.add_signature(inputs=text, outputs=tf.strings.to_number(text))
    x = v1.placeholder(tf.float32, [None])
    scale = v1.placeholder(tf.float32, [])
    hub.add_signature(
        "scale", {"x": x, "scale": scale}, {"scaled": x * scale, "sum": tf.reduce_sum(x), "x": x}
    )
    pair = v1.placeholder(tf.float32, [2])
    hub.add_signature("pairs", pair, pair + tf.reduce_sum(pair))
    row = v1.sparse_placeholder(tf.float32, [None, None])
    hub.add_signature("sparse", row, tf.sparse.reduce_sum(row, axis=1))
    words = v1.ragged.placeholder(tf.string, 1)
    hub.add_signature("ragged", words, tf.strings.reduce_join(words, axis=1))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("module") / "m", numbers)


def test_computes_what_eval_function_for_module_computes(path):
    inputs = ["1.5", "2", "-3e7"]
    with hub.eval_function_for_module(path) as f:
        assert hub.ModuleApplier(path)(inputs).tobytes() == f(inputs).tobytes()


def test_a_batch_with_several_inputs_and_chosen_outputs(path):
    inputs = {"x": [1.0, 2.0], "scale": 3.0}
    result = hub.ModuleApplier(path, "scale", output=["sum", "scaled"])(inputs)
    assert list(result) == ["sum", "scaled"]
    assert (result["sum"], result["scaled"].tolist()) == (3.0, [3.0, 6.0])
    assert hub.ModuleApplier(path, "scale", output="sum")(inputs) == 3.0


def test_without_a_default_output_all_are_computed(path):
    result = hub.ModuleApplier(path, "scale")({"x": [1.0], "scale": 3.0})
    assert sorted(result) == ["scaled", "sum", "x"]


def test_a_variant_is_chosen_by_its_tags(tmp_path):
    def module_fn(value):
        x = v1.placeholder(tf.int32, [None])
        hub.add_signature(inputs=x, outputs=x * value)

    variants = [({"a"}, {"value": 2}), ({"b", "c"}, {"value": 3})]
    path = str(tmp_path / "m")
    hub.create_module_spec(module_fn, variants).export_values(path, {})
    assert hub.ModuleApplier(path, tags={"c", "b"})([5]).tolist() == [15]


def test_a_pickled_applier_loads_the_module_itself(path):
    applier = hub.ModuleApplier(path, session_config=v1.ConfigProto(intra_op_parallelism_threads=1))
    applier(["1"])
    data = pickle.dumps(applier)
    assert len(data) < 500 + len(path)
    assert pickle.loads(data)(["2"]).tolist() == [2.0]


def test_pickling_loads_nothing(tmp_path):
    applier = pickle.loads(pickle.dumps(hub.ModuleApplier(tmp_path / "later")))
    exported(tmp_path / "later", affine)
    assert applier([1.0]).tolist() == [3.0]


def test_a_closed_applier_loads_again(path):
    applier = hub.ModuleApplier(path)
    assert applier(["1"]).tolist() == [1.0]
    applier.close()
    assert applier(["2"]).tolist() == [2.0]


def test_a_copy_has_another_handle(path, tmp_path):
    other = hub.ModuleApplier(path).copy(exported(tmp_path / "affine", affine))
    assert other([1.0]).tolist() == [3.0]


def test_threads_share_a_session(path, monkeypatch):
    sessions = []
    make_session = v1.Session
    monkeypatch.setattr(
        v1, "Session", lambda **kwargs: sessions.append(make_session(**kwargs)) or sessions[-1]
    )
    applier = hub.ModuleApplier(path)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: applier([str(n)]).tolist(), range(50)))
    assert results == [[float(n)] for n in range(50)]
    assert len(sessions) == 1


def test_a_spec_is_refused():
    with pytest.raises(hub.HubModuleError, match="cannot be sent to other processes"):
        hub.ModuleApplier(hub.create_module_spec(affine))


def test_an_unknown_output_is_refused_when_the_module_is_loaded(path):
    with pytest.raises(TypeError, match=r"no outputs \['none'\]; it has \['default'\]"):
        hub.ModuleApplier(path, output="none").load()


class TestElements:
    def test_results_are_rows(self, path):
        rows = hub.ModuleApplier(path).apply_to_elements(["1", b"2", "3"])
        assert rows == [1.0, 2.0, 3.0]

    def test_inputs_that_are_the_same_for_all(self, path):
        applier = hub.ModuleApplier(path, "scale", output=["scaled", "x"])
        rows = applier.apply_to_elements([1.0, 2.0], {"scale": 10.0})
        assert rows == [{"scaled": 10.0, "x": 1.0}, {"scaled": 20.0, "x": 2.0}]

    def test_sparse_and_ragged_elements(self, path):
        sparse = [
            v1.SparseTensorValue([[0], [2]], [1.0, 2.0], [3]),
            v1.SparseTensorValue([[1]], [4.0], [2]),
        ]
        assert hub.ModuleApplier(path, "sparse").apply_to_elements(sparse) == [3.0, 4.0]
        ragged = [["a", "b"], [], ["c"]]
        assert hub.ModuleApplier(path, "ragged").apply_to_elements(ragged) == [b"ab", b"", b"c"]

    def test_a_module_of_constant_batch_size_gets_full_batches(self, path):
        rows = hub.ModuleApplier(path, "pairs").apply_to_elements([1.0, 2.0, 3.0])
        assert rows == [4.0, 5.0, 9.0]  # The last batch is [3, 3].

    def test_no_elements(self, path):
        assert hub.ModuleApplier(path).apply_to_elements([]) == []
        assert hub.ModuleApplier(path).try_elements([]) == []

    def test_an_element_fails_alone(self, path):
        elements = [str(n) for n in range(9)]
        elements[4] = "four"
        rows = hub.ModuleApplier(path).try_elements(elements)
        assert [row for n, row in enumerate(rows) if n != 4] == [0, 1, 2, 3, 5, 6, 7, 8]
        assert str(rows[4]) == (
            f"The module {path} cannot compute the element 'four': InvalidArgumentError: "
            "StringToNumberOp could not correctly convert string: four\n"
            "\t [[{{node module_apply_default/StringToNumber}}]]"
        )
        assert str(pickle.loads(pickle.dumps(rows[4]))) == str(rows[4])

    def test_a_batch_fails_with_the_error_of_its_element(self, path):
        message = r"compute a batch of 3 elements: InvalidArgumentError: .* string: x"
        with pytest.raises(ValueError, match=message):
            hub.ModuleApplier(path).apply_to_elements(["1", "x", "3"])

    def test_an_element_of_another_shape_fails_alone(self, path):
        rows = hub.ModuleApplier(path).try_elements(["1", ["2", "3"], "4"])
        assert [rows[0], rows[2]] == [1.0, 4.0]
        assert "Cannot feed value of shape (1, 2)" in str(rows[1])

    def test_unknown_common_inputs_are_not_blamed_on_elements(self, path):
        with pytest.raises(TypeError, match=r"no inputs \['y'\]; it has \['default'\]"):
            hub.ModuleApplier(path).try_elements(["1"], {"y": 1})

    def test_errors_of_the_process_are_not_blamed_on_elements(self, path, monkeypatch):
        applier = hub.ModuleApplier(path)
        applier.load()

        def abort(*args, **kwargs):
            raise tf.errors.AbortedError(None, None, "The device is gone")

        monkeypatch.setattr(v1.Session, "run", abort)
        with pytest.raises(tf.errors.AbortedError):
            applier.try_elements(["1", "2"])


def test_a_process_ends_without_noise(path):
    done = run_code(
        f"""
        import hubmodule as hub
        embed = hub.ModuleApplier({path!r})
        print(embed(["1"]))
        """,
        TF_ENABLE_ONEDNN_OPTS="0",
    )
    assert done.stdout.split() == ["[1.]"]
    assert "Exception" not in done.stderr
    assert done.returncode == 0


def test_in_the_map_of_a_dataset(path):
    applier = hub.ModuleApplier(path)
    dataset = tf.data.Dataset.from_tensor_slices(["1", "2", "3"]).batch(2)
    parsed = dataset.map(lambda batch: tf.numpy_function(applier, [batch], tf.float32))
    assert [batch.tolist() for batch in parsed.as_numpy_iterator()] == [[1.0, 2.0], [3.0]]


def test_results_are_arrays(path):
    assert isinstance(hub.ModuleApplier(path)(["1"]), np.ndarray)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

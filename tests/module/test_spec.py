"""ModuleSpec: what it tells, and its export from a checkpoint."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.wrappers_pb2 import BytesValue

import hubmodule as hub
from hubmodule import errors
from hubmodule.errors import ModuleFormatError
from hubmodule.module.spec import read_checkpoint
from tests.module.graphs import affine, array, exported, initialised_session

v1 = tf.compat.v1


def described():
    x = v1.placeholder(tf.float32, [None, 3], name="x")
    s = v1.sparse_placeholder(tf.int64, [None, 4])
    hub.add_signature(inputs=x, outputs={"default": x, "count": tf.shape(x)[0]})
    hub.add_signature("sparse", inputs={"s": s}, outputs=s)
    hub.attach_message("size", hub.ImageModuleInfo(default_image_size={"height": 3, "width": 4}))
    hub.attach_message("bytes", BytesValue(value=b"\xff"))


@pytest.fixture(scope="module")
def specs(tmp_path_factory):
    """The same spec made of Python and loaded off disk."""
    made = hub.create_module_spec(described, [(set(), {}), ({"train"}, {})])
    path = exported(tmp_path_factory.mktemp("described") / "m", made)
    return {"made": made, "loaded": hub.load_module_spec(path)}


@pytest.fixture(params=["made", "loaded"])
def spec(request, specs):
    return specs[request.param]


class TestDescription:
    def test_tags_and_signatures(self, spec):
        assert spec.get_tags() == [frozenset(), frozenset({"train"})]
        assert spec.get_signature_names() == ["default", "sparse"]
        assert spec.get_signature_names({"train"}) == ["default", "sparse"]

    def test_dense_infos(self, spec):
        (info,) = spec.get_input_info_dict().values()
        assert info.dtype == tf.float32
        assert info.get_shape().as_list() == [None, 3]
        assert not info.is_sparse
        assert not info.is_composite
        assert info.type_spec == tf.TensorSpec([None, 3], tf.float32)
        assert sorted(spec.get_output_info_dict()) == ["count", "default"]

    def test_sparse_infos(self, spec):
        info = spec.get_input_info_dict("sparse", tags={"train"})["s"]
        assert info.is_sparse
        assert info.type_spec == tf.SparseTensorSpec([None, 4], tf.int64)

    def test_attached_messages(self, spec):
        message = spec.get_attached_message("size", hub.ImageModuleInfo, required=True)
        assert (message.default_image_size.height, message.default_image_size.width) == (3, 4)
        assert spec.get_attached_message("other", hub.ImageModuleInfo) is None
        with pytest.raises(KeyError, match=r"'other'.*\['bytes', 'size'\]"):
            spec.get_attached_message("other", hub.ImageModuleInfo, required=True)

    def test_an_attached_message_of_another_class(self, spec):
        with pytest.raises(ModuleFormatError, match="under 'bytes' is not of type ImageModuleInfo"):
            spec.get_attached_message("bytes", hub.ImageModuleInfo)

    @pytest.mark.parametrize("kind", [KeyError, ValueError, hub.HubModuleError])
    def test_unknown_signatures_list_the_others(self, spec, kind):
        with pytest.raises(kind, match=r"'none'.*\['default', 'sparse'\]"):
            spec.get_input_info_dict("none")

    @pytest.mark.parametrize("kind", [KeyError, ValueError, hub.HubModuleError])
    def test_unknown_variants_list_the_others(self, spec, kind):
        with pytest.raises(kind, match=r"No such graph variant: tags=\['eval'\].*\['train'\]"):
            spec.get_output_info_dict(tags=["eval"])

    def test_repr_tells_where_it_is_from(self, specs):
        assert "described()" in repr(specs["made"])
        assert "/m" in repr(specs["loaded"])


class TestExport:
    @pytest.fixture
    def checkpoint(self, tmp_path):
        """A training program's checkpoint, with the variables under "net/"."""
        with tf.Graph().as_default():
            v1.get_variable("net/w", initializer=tf.constant(5.0))
            v1.get_variable("net/b", initializer=tf.constant(0.5))
            with initialised_session() as session:
                (tmp_path / "run").mkdir()
                return v1.train.Saver().save(session, str(tmp_path / "run" / "model"), 7)

    def test_values_come_from_the_checkpoint(self, tmp_path, checkpoint):
        spec = hub.create_module_spec(affine)
        spec.export(
            str(tmp_path / "m"),
            checkpoint_path=checkpoint,
            name_transform_fn=lambda name: "net/" + name,
        )
        with hub.eval_function_for_module(str(tmp_path / "m")) as f:
            assert f(array(2)).tolist() == [10.5]

    def test_a_directory_means_its_newest_checkpoint(self, tmp_path, checkpoint):
        hub.create_module_spec(affine).export(
            str(tmp_path / "m"),
            checkpoint_path=str(tmp_path / "run"),
            name_transform_fn=lambda name: "net/" + name,
        )
        assert read_checkpoint(hub.load_module_spec(str(tmp_path / "m"))).shapes["w"] == []

    def test_path_objects_will_do(self, tmp_path, checkpoint):
        hub.create_module_spec(affine).export(
            tmp_path / "m",
            checkpoint_path=Path(checkpoint),
            name_transform_fn=lambda name: "net/" + name,
        )
        assert read_checkpoint(hub.load_module_spec(tmp_path / "m")).shapes["w"] == []

    def test_partitioned_variables_come_whole(self, tmp_path):
        def module_fn():
            table = v1.get_variable("t", [4, 2], partitioner=v1.fixed_size_partitioner(3))
            hub.add_signature(outputs=tf.convert_to_tensor(table))

        with tf.Graph().as_default():
            v1.get_variable("t", initializer=tf.reshape(tf.range(8.0), [4, 2]))
            with initialised_session() as session:
                prefix = v1.train.Saver().save(session, str(tmp_path / "model"))
        path = str(tmp_path / "m")
        hub.create_module_spec(module_fn).export(path, checkpoint_path=prefix)
        with hub.eval_function_for_module(path) as f:
            assert f().tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]

    def test_a_missing_variable_leaves_nothing_behind(self, tmp_path, checkpoint):
        before = sorted(os.listdir(tmp_path))
        with pytest.raises(ValueError, match=r"no tensor 'w'.*'net/b', 'net/w'"):
            hub.create_module_spec(affine).export(str(tmp_path / "m"), checkpoint_path=checkpoint)
        assert sorted(os.listdir(tmp_path)) == before

    def test_a_missing_checkpoint(self, tmp_path):
        with pytest.raises(tf.errors.NotFoundError, match="nowhere"):
            hub.create_module_spec(affine).export(
                str(tmp_path / "m"), checkpoint_path=str(tmp_path / "nowhere")
            )

    @pytest.mark.parametrize("args", [(), ("positional",)])
    def test_no_checkpoint_path(self, tmp_path, args):
        with pytest.raises(ValueError, match="Missing mandatory `checkpoint_path`"):
            hub.create_module_spec(affine).export(str(tmp_path / "m"), *args)

    def test_overwrite(self, tmp_path, checkpoint):
        spec = hub.create_module_spec(lambda: hub.add_signature(outputs=tf.constant(1)))
        spec.export(str(tmp_path / "m"), checkpoint_path=checkpoint)
        with pytest.raises(errors.ExportExistsError):
            spec.export(str(tmp_path / "m"), checkpoint_path=checkpoint)
        spec.export(str(tmp_path / "m"), checkpoint_path=checkpoint, overwrite=True)
        assert hub.load_module_spec(str(tmp_path / "m")).get_signature_names() == ["default"]


class TestExportValues:
    def test_the_module_has_the_values(self, tmp_path):
        values = {"w": np.float32(3), "b": np.array(0.5, np.float32)}
        hub.create_module_spec(affine).export_values(tmp_path / "m", values)
        with hub.eval_function_for_module(tmp_path / "m") as f:
            assert f(array(2)).tolist() == [6.5]

    def test_strings_halves_and_mapped_files(self, tmp_path):
        def module_fn():
            words = v1.get_variable("words", [2], tf.string, initializer=v1.zeros_initializer())
            halves = v1.get_variable("halves", [3], tf.bfloat16)
            rows = v1.get_variable("rows", [2, 2])
            outputs = {"words": words, "halves": halves, "rows": rows}
            hub.add_signature(outputs={k: tf.convert_to_tensor(v) for k, v in outputs.items()})

        np.arange(4, dtype=np.float32).tofile(tmp_path / "rows")
        values = {
            "words": np.array([b"a", b"b\0"], object),
            "halves": np.array([1, 2, 3], tf.bfloat16.as_numpy_dtype),
            "rows": np.memmap(tmp_path / "rows", np.float32, "r", shape=(2, 2)),
        }
        hub.create_module_spec(module_fn).export_values(tmp_path / "m", values)
        with hub.eval_function_for_module(tmp_path / "m") as f:
            found = f(as_dict=True)
        assert {name: value.tolist() for name, value in found.items()} == {
            "words": [b"a", b"b\0"],
            "halves": [1, 2, 3],
            "rows": [[0, 1], [2, 3]],
        }

    def test_partitioned_variables_are_given_whole(self, tmp_path):
        def module_fn():
            table = v1.get_variable("t", [3, 1], partitioner=v1.fixed_size_partitioner(2))
            hub.add_signature(outputs=tf.convert_to_tensor(table))

        values = {"t": array(1, 2, 3)[:, np.newaxis]}
        hub.create_module_spec(module_fn).export_values(tmp_path / "m", values)
        with hub.eval_function_for_module(tmp_path / "m") as f:
            assert f().tolist() == [[1], [2], [3]]

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"w": array(1)[0]}, r"lack the variables \['b'\]\."),
            (
                {"w": array(1)[0], "b": array(1)[0], "c": 1},
                r"values have names \['c'\] that no variable has",
            ),
            ({"w": array(1), "b": array(1)[0]}, r"'w' is float32 \(1,\), but .* float32 \(\)"),
            ({"w": array(1)[0], "b": np.float64(1)}, r"'b' is float64 \(\), but .* float32"),
            ({"w": array(1)[0], "b": np.datetime64("2020")}, r"'b' is datetime64"),
            ({"w": array(1)[0], "b": b"word"}, r"'b' is object"),
        ],
    )
    def test_values_that_do_not_fit(self, tmp_path, values, message):
        with pytest.raises(errors.VariableValueError, match=message):
            hub.create_module_spec(affine).export_values(tmp_path / "m", values)
        assert os.listdir(tmp_path) == []

    def test_what_is_there_is_replaced_only_if_asked(self, tmp_path):
        spec = hub.create_module_spec(affine)
        values = {"w": array(1)[0], "b": array(1)[0]}
        spec.export_values(tmp_path / "m", values)
        with pytest.raises(FileExistsError):
            spec.export_values(tmp_path / "m", values)
        spec.export_values(tmp_path / "m", {**values, "b": array(2)[0]}, overwrite=True)
        with hub.eval_function_for_module(tmp_path / "m") as f:
            assert f(array(1)).tolist() == [3.0]


def test_an_export_adds_no_copy_of_the_graphs_to_a_pickled_spec(tmp_path):
    spec = hub.create_module_spec(affine)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(spec)
        session.run(tf.compat.v1.global_variables_initializer())
        module.export(str(tmp_path / "first"), session)
        size = len(pickle.dumps(spec))
        written = (tmp_path / "first" / "saved_model.pb").read_bytes()
    assert "_encoded_graphs" in vars(spec)
    assert written not in pickle.dumps(spec)
    copied = pickle.loads(pickle.dumps(spec))
    assert copied.get_signature_names() == ["default"]
    assert len(pickle.dumps(copied)) <= size


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

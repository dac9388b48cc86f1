"""create_module_spec_from_saved_model: SavedModels of TF1 as modules."""

from __future__ import annotations

import os
import sys

import pytest
import tensorflow as tf

import hubmodule as hub
from tests.module.graphs import evaluate, initialised_session

v1 = tf.compat.v1


def write_saved_model(path, tmp_path, collect=None):
    """A SavedModel as Estimators write it: an asset, a table, a step, an init op."""
    vocabulary = tmp_path / "words.txt"
    vocabulary.write_text("a\nb\n")
    with tf.Graph().as_default():
        words = v1.placeholder(tf.string, [None], name="words")
        table = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                str(vocabulary),
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            -1,
        )
        scale = v1.get_variable("scale", initializer=tf.constant(10, tf.int64))
        v1.train.get_or_create_global_step()
        if collect:
            v1.add_to_collection(collect, scale)
        signature = v1.saved_model.predict_signature_def(
            {"words": words}, {"ids": table.lookup(words) * scale}
        )
        builder = v1.saved_model.Builder(str(path))
        with initialised_session() as session:
            builder.add_meta_graph_and_variables(
                session,
                ["serve"],
                {"serving_default": signature},
                assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
                main_op=v1.tables_initializer(),
            )
            builder.save()
    vocabulary.unlink()
    return str(path)


def test_it_becomes_a_module(tmp_path):
    path = write_saved_model(tmp_path / "saved", tmp_path)
    spec = hub.create_module_spec_from_saved_model(path)
    assert spec.get_tags() == [frozenset({"serve"})]
    assert spec.get_signature_names({"serve"}) == ["serving_default"]
    with tf.Graph().as_default():
        module = hub.Module(spec, tags={"serve"})
        outputs = module(["b", "c"], signature="serving_default", as_dict=True)
        with initialised_session() as session:
            assert session.run(outputs["ids"]).tolist() == [10, -10]
            module.export(str(tmp_path / "module"), session)
    with tf.Graph().as_default():
        module = hub.Module(str(tmp_path / "module"), tags={"serve"})
        outputs = module(["b", "c"], signature="serving_default", as_dict=True)
        assert evaluate(outputs["ids"]).tolist() == [10, -10]
    assert os.listdir(tmp_path / "module" / "assets") == ["words.txt"]


def test_it_can_be_exported_from_another_checkpoint(tmp_path):
    path = write_saved_model(tmp_path / "saved", tmp_path)
    spec = hub.create_module_spec_from_saved_model(path)
    spec.export(str(tmp_path / "m"), checkpoint_path=path + "/variables/variables")
    with hub.eval_function_for_module(str(tmp_path / "m"), tags={"serve"}) as f:
        assert f(["b"], signature="serving_default", as_dict=True)["ids"].tolist() == [10]


def test_unsupported_collections_can_be_dropped(tmp_path):
    path = write_saved_model(tmp_path / "saved", tmp_path, collect="mine")
    with pytest.raises(ValueError, match=r"\['mine'\].*drop_collections"):
        hub.create_module_spec_from_saved_model(path)
    spec = hub.create_module_spec_from_saved_model(path, drop_collections=["mine"])
    assert spec.get_tags() == [frozenset({"serve"})]


def test_a_saved_model_of_tf2(tmp_path):
    root = tf.Module()
    root.f = tf.function(lambda: 1.0, input_signature=[])
    tf.saved_model.save(root, str(tmp_path / "saved"))
    with pytest.raises(ValueError, match=r"made by TF2.*hub\.load"):
        hub.create_module_spec_from_saved_model(str(tmp_path / "saved"))


def test_nothing_there(tmp_path):
    with pytest.raises(OSError, match="does not exist"):
        hub.create_module_spec_from_saved_model(str(tmp_path / "none"))
    with pytest.raises(ValueError, match=r"neither saved_model\.pb nor saved_model\.pbtxt"):
        hub.create_module_spec_from_saved_model(str(tmp_path))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

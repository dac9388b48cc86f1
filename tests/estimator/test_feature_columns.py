"""Tests of hubmodule.estimator.feature_columns."""

from __future__ import annotations

import copy
import json
import os
import sys

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import ColumnConfigError, ModuleDefinitionError
from tests.estimator.behaviour.models import config, is_v1
from tests.estimator.texts import VECTORS, receive_text, sentiment, words_fn
from tests.module.graphs import evaluate, exported
from tests.processes import output_of

v1 = tf.compat.v1


def pixels_fn() -> None:
    """Module function: the mean of each channel of images of 2 x 3 pixels."""
    images = v1.placeholder(tf.float32, [None, 2, 3, 3])
    w = v1.get_variable("w", [], initializer=v1.ones_initializer())
    hub.add_signature(inputs={"images": images}, outputs=w * tf.reduce_mean(images, [1, 2]))


@pytest.fixture
def words(tmp_path):
    """The path of a text module."""
    return exported(tmp_path / "words", words_fn)


@pytest.fixture
def pixels(tmp_path):
    """The path of an image module."""
    return exported(tmp_path / "pixels", pixels_fn)


def with_input_layer(column, feature, trainable=True):
    return v1.feature_column.input_layer({"f": feature}, [column], trainable=trainable)


def with_dense_features(column, feature, trainable=True):
    return tf.compat.v1.keras.layers.DenseFeatures([column], trainable)({"f": feature})


def with_dense_features_v2(column, feature, trainable=True):
    return tf.keras.layers.DenseFeatures([column], trainable)({"f": feature})


every_layer = pytest.mark.parametrize(
    "layer", [with_input_layer, with_dense_features, with_dense_features_v2]
)


def sparse(*rows):
    return tf.sparse.from_dense(tf.constant(rows))


@every_layer
@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_text_is_embedded(words, layer, shape):
    with tf.Graph().as_default():
        feature = tf.reshape(tf.constant(["a", "b"]), shape)
        vectors = evaluate(layer(hub.text_embedding_column("f", words), feature))
    np.testing.assert_array_equal(vectors, [VECTORS["a"], VECTORS["b"]])


@every_layer
@pytest.mark.parametrize(
    ("combiner", "both"),
    [("sum", [1.0, 2.0]), ("mean", [0.5, 1.0]), ("sqrtn", [2**-0.5, 2 * 2**-0.5])],
)
def test_sparse_text_is_combined(words, layer, combiner, both):
    column = hub.sparse_text_embedding_column("f", words, combiner, None)
    with tf.Graph().as_default():
        vectors = evaluate(layer(column, sparse(["a", "b"], ["b", ""], ["", ""])))
    np.testing.assert_allclose(vectors, [both, VECTORS["b"], [0.0, 0.0]], rtol=1e-6)


@pytest.mark.parametrize("default", ["b", ""])
def test_sparse_text_has_a_default(words, default):
    column = hub.sparse_text_embedding_column("f", words, "sum", default)
    with tf.Graph().as_default():
        vectors = evaluate(with_input_layer(column, sparse(["a", ""], ["", ""])))
    np.testing.assert_array_equal(vectors, [VECTORS["a"], VECTORS[default]])


@pytest.mark.parametrize(
    ("make", "rows"),
    [(tf.constant, [["a", "b"], ["b", ""]]), (tf.ragged.constant, [["a", "b"], ["b"]])],
    ids=["dense", "ragged"],
)
def test_sparse_text_may_be_dense_or_ragged(words, make, rows):
    column = hub.sparse_text_embedding_column("f", words, "sum", None)
    with tf.Graph().as_default():
        vectors = evaluate(column._embed(hub.Module(words), column._prepare(make(rows))))
    np.testing.assert_array_equal(vectors, [[1.0, 2.0], VECTORS["b"]])


@every_layer
def test_images_are_embedded(pixels, layer):
    images = np.arange(36, dtype=np.float32).reshape(2, 2, 3, 3)
    with tf.Graph().as_default():
        vectors = evaluate(layer(hub.image_embedding_column("f", pixels), tf.constant(images)))
    np.testing.assert_allclose(vectors, images.mean(axis=(1, 2)))


def test_how_examples_are_parsed(words, pixels):
    columns = [
        hub.text_embedding_column("t", words),
        hub.sparse_text_embedding_column("s", words, "sum", None),
        hub.image_embedding_column("i", pixels),
    ]
    assert tf.feature_column.make_parse_example_spec(columns) == {
        "t": tf.io.FixedLenFeature([1], tf.string),
        "s": tf.io.VarLenFeature(tf.string),
        "i": tf.io.FixedLenFeature([2, 3, 3], tf.float32),
    }


def test_the_size_of_images_can_be_given(pixels):
    column = hub.image_embedding_column("i", pixels, image_size=[4, 5])
    assert column.parse_example_spec["i"].shape == [4, 5, 3]


@pytest.mark.parametrize("size", [3, (1, 2, 3)])
def test_the_size_of_images_is_two_numbers(pixels, size):
    with pytest.raises(ModuleDefinitionError, match=r"\(height, width\)"):
        hub.image_embedding_column("i", pixels, image_size=size)


@pytest.mark.parametrize("trainable", [True, False])
def test_variables_have_the_names_of_old_checkpoints(words, trainable):
    with tf.Graph().as_default():
        column = hub.text_embedding_column("f", words, trainable)
        with_input_layer(column, tf.constant(["a"]))
        name = "input_layer/f_hub_module_embedding/module/vectors"
        assert [v.op.name for v in v1.global_variables()] == [name]
        assert [v.op.name for v in v1.trainable_variables()] == [name] * trainable


@pytest.mark.parametrize("trainable", [True, False])
def test_a_layer_has_the_variables_of_its_modules(words, trainable):
    with tf.Graph().as_default():
        layer = tf.keras.layers.DenseFeatures([hub.text_embedding_column("f", words, trainable)])
        layer({"f": tf.constant(["a"])})
        assert len(layer.variables) == 1
        assert len(layer.trainable_variables) == trainable


def test_a_scope_that_is_reused_has_one_module(words):
    column = hub.text_embedding_column("f", words)
    with tf.Graph().as_default():
        for _ in range(2):
            with v1.variable_scope("model", reuse=v1.AUTO_REUSE):
                with_input_layer(column, tf.constant(["a"]))
        assert len(v1.global_variables()) == 1


def test_scopes_of_their_own_have_modules_of_their_own(words):
    column = hub.text_embedding_column("f", words)
    with tf.Graph().as_default():
        for _ in range(2):
            with_input_layer(column, tf.constant(["a"]))
        assert len(v1.global_variables()) == 2


def takes(shape, dtype=tf.string):
    def module_fn():
        x = v1.placeholder(dtype, shape)
        hub.add_signature(inputs=x, outputs=tf.zeros([tf.size(x), 2]))

    return module_fn


def takes_two():
    x, y = (v1.placeholder(tf.string, [None]) for _ in range(2))
    hub.add_signature(inputs={"x": x, "y": y}, outputs=tf.zeros([tf.size(x), 2]))


def gives(shape, dtype=tf.float32, name="default"):
    def module_fn():
        x = v1.placeholder(tf.string, [None])
        output = v1.placeholder_with_default(tf.zeros([1, 2], dtype), shape)
        hub.add_signature(inputs=x, outputs={name: output})

    return module_fn


@pytest.mark.parametrize(
    "module_fn",
    [
        takes([None, 2]),
        takes([2]),
        takes_two,
        takes([None], tf.int64),
        gives([None, None]),
        gives([1, 2]),
        gives([None, 2], tf.float64),
        gives([None, 2], name="other"),
        pixels_fn,
    ],
)
def test_a_module_must_embed_text(module_fn):
    spec = hub.create_module_spec(module_fn)
    with pytest.raises(ValueError, match="is not a text embedding"):
        hub.text_embedding_column("f", spec)
    with pytest.raises(ValueError, match="is not a text embedding"):
        hub.sparse_text_embedding_column("f", spec, "sum", None)


def test_a_module_must_embed_images(words):
    with pytest.raises(ValueError, match="is not an image embedding"):
        hub.image_embedding_column("f", words)


def test_images_may_have_a_fixed_batch():
    def module_fn():
        images = v1.placeholder(tf.float32, [2, 2, 3, 3])
        hub.add_signature(inputs={"images": images}, outputs=tf.reduce_mean(images, [1, 2]))

    column = hub.image_embedding_column("f", hub.create_module_spec(module_fn))
    with tf.Graph().as_default():
        assert evaluate(with_input_layer(column, tf.ones([2, 2, 3, 3]))).tolist() == [[1.0] * 3] * 2


def test_a_combiner_must_be_known(words):
    with pytest.raises(ValueError, match=r"'mean', 'sqrtn', 'sum'"):
        hub.sparse_text_embedding_column("f", words, "median", None)


def test_a_module_must_be_one():
    with pytest.raises(ValueError, match="Unknown module spec type"):
        hub.text_embedding_column("f", 3)


@every_layer
def test_a_key_may_be_a_feature_column(pixels, layer):
    halved = tf.feature_column.numeric_column("f", [2, 3, 3], normalizer_fn=lambda x: x / 2)
    column = hub.image_embedding_column(halved, pixels)
    assert (column.name, column.parents) == ("f_hub_module_embedding", [halved])
    spec = halved.parse_example_spec
    assert column.parse_example_spec == spec
    assert tf.feature_column.make_parse_example_spec([column]) == spec
    with tf.Graph().as_default():
        vectors = evaluate(layer(column, tf.ones([2, 2, 3, 3])))
    np.testing.assert_array_equal(vectors, [[0.5] * 3] * 2)


def test_every_column_is_named_after_the_feature(words, pixels):
    feature = tf.feature_column.numeric_column("f")
    columns = [
        hub.text_embedding_column(feature, words),
        hub.sparse_text_embedding_column(feature, words, "sum", None),
        hub.image_embedding_column(feature, pixels),
        hub.text_embedding_column_v2(feature, words),
    ]
    assert {column.name for column in columns} == {"f_hub_module_embedding"}


def test_a_column_has_the_spec_of_its_module(words, pixels):
    for column in columns_of(words, pixels):
        assert isinstance(column.module_spec, hub.ModuleSpec)
    spec = hub.create_module_spec(words_fn)
    assert hub.text_embedding_column("f", spec).module_spec is spec


@every_layer
def test_a_layer_that_is_not_trainable_freezes_the_modules(words, layer):
    with tf.Graph().as_default():
        layer(hub.text_embedding_column("f", words, True), tf.constant(["a"]), trainable=False)
        assert [v.op.name.rpartition("/")[2] for v in v1.global_variables()] == ["vectors"]
        assert v1.trainable_variables() == []


def columns_of(words, pixels):
    return [
        hub.text_embedding_column("t", words, True, export_name="e"),
        hub.sparse_text_embedding_column("s", words, "sum", "b"),
        hub.image_embedding_column("i", pixels, (2, 3)),
    ]


def test_configs_come_back_from_json(words, pixels):
    for column in columns_of(words, pixels):
        again = type(column).from_config(json.loads(json.dumps(column.get_config())))
        assert (again, hash(again)) == (column, hash(column))


def test_layers_come_back(words, pixels):
    columns = columns_of(words, pixels)
    layer = tf.keras.layers.DenseFeatures(columns)
    classes = {type(column).__name__: type(column) for column in columns}
    config_of_layer = layer.get_config()
    again = tf.keras.layers.DenseFeatures.from_config(config_of_layer, classes)
    assert sorted(again._feature_columns) == sorted(columns)


def test_configs_of_tensorflow_hub_are_understood(words):
    old = {"key": "f", "module_spec_path": words, "trainable": True}
    column = type(hub.text_embedding_column("f", words)).from_config(old)
    assert column == hub.text_embedding_column("f", words, True)


def test_a_module_without_a_path_has_no_config():
    column = hub.text_embedding_column("f", hub.create_module_spec(words_fn))
    with pytest.raises(ColumnConfigError, match="pass its path"):
        column.get_config()
    with pytest.raises(NotImplementedError):
        column.get_config()


def test_columns_are_values(words):
    column = hub.text_embedding_column("f", words)
    assert column == hub.text_embedding_column("f", words)
    assert hash(column) == hash(hub.text_embedding_column("f", words))
    assert column != hub.text_embedding_column("f", words, True)
    assert copy.deepcopy(column) is column


@pytest.mark.parametrize("api", [v1.estimator, tf.estimator], ids=["v1", "v2"])
@pytest.mark.parametrize("name", ["DNNClassifier", "LinearClassifier"])
def test_canned_estimators_train_evaluate_and_predict(words, model_dir, api, name):
    column = hub.text_embedding_column("f", words, trainable=True)
    arguments = {"hidden_units": [4]} if name == "DNNClassifier" else {}
    adagrad = v1.train.AdagradOptimizer
    if not is_v1(api):
        adagrad = tf.keras.optimizers.legacy.Adagrad
    estimator = getattr(api, name)(
        feature_columns=[column],
        model_dir=model_dir,
        optimizer=lambda: adagrad(0.5),
        config=config(),
        **arguments,
    )
    estimator.train(sentiment(), steps=60)
    assert estimator.evaluate(sentiment(1))["accuracy"] == 1.0
    predictions = list(estimator.predict(sentiment(1)))
    assert [p["class_ids"][0] for p in predictions] == [0, 1, 0, 1]
    trained = next(
        estimator.get_variable_value(v)
        for v in estimator.get_variable_names()
        if v.endswith("module/vectors")
    )
    assert not np.array_equal(trained, list(VECTORS.values()))


@pytest.mark.parametrize("api", [v1.estimator, tf.estimator], ids=["v1", "v2"])
def test_a_canned_estimator_exports_the_modules_of_its_columns(words, model_dir, api):
    column = hub.text_embedding_column("f", words, trainable=True, export_name="words")
    estimator = api.DNNClassifier([4], [column], model_dir=model_dir, config=config())
    exporter = hub.LatestModuleExporter("tf_hub", receive_text)
    tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(sentiment(), max_steps=20),
        tf.estimator.EvalSpec(sentiment(1), exporters=exporter),
    )
    root = os.path.join(model_dir, "export", "tf_hub")
    with hub.eval_function_for_module(os.path.join(root, os.listdir(root)[0], "words")) as f:
        vectors = f(["a", "b", ""])
    names = [v for v in estimator.get_variable_names() if v.endswith("module/vectors")]
    np.testing.assert_array_equal(vectors, estimator.get_variable_value(names[0]))
    assert not np.array_equal(vectors, list(VECTORS.values()))


TRY_WITH_DIMENSIONS = """
import tensorflow.compat.v1 as tf
import hubmodule as hub
tf.disable_v2_behavior()
hub.enable_estimator()

def module_fn(batch, size):
    texts = tf.placeholder(tf.string, [batch])
    length = tf.cast(tf.strings.length(texts), tf.float32)
    vectors = tf.placeholder_with_default(length[:, None], [None, size])
    hub.add_signature(inputs=texts, outputs=vectors)

for batch, size in ((None, 1), (2, 1), (None, None)):
    spec = hub.create_module_spec(lambda: module_fn(batch, size))
    try:
        column = hub.text_embedding_column("text", spec)
        print(tf.feature_column.input_layer({"text": ["a", "b"]}, [column]).shape.as_list())
    except hub.HubModuleError as error:
        print(type(error).__name__)
"""


def test_with_the_shapes_of_tensorflow_1():
    """There a size is a Dimension, also one that is not known."""
    assert output_of(TRY_WITH_DIMENSIONS) == [
        "[None, 1]",
        "SignatureMismatchError",
        "SignatureMismatchError",
    ]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""Tests of hubmodule.estimator.layer_column."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.errors import SignatureMismatchError
from tests.estimator.behaviour.models import config
from tests.estimator.texts import VECTORS, receive_text, sentiment, words_fn
from tests.module.graphs import exported, initialised_session

EMBEDDED = np.array([VECTORS["a"], VECTORS["b"], VECTORS["a"]], np.float32)


class Words(tf.train.Checkpoint):
    """A reusable SavedModel of TF2 that embeds text, with two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors = tf.Variable(list(VECTORS.values()))
        self.variables = [self.vectors]
        self.trainable_variables = [self.vectors]
        self.regularization_losses: list[Any] = []

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, words: tf.Tensor) -> dict[str, tf.Tensor]:
        row = tf.where(words == "a", 0, tf.where(words == "b", 1, 2))
        vectors = tf.gather(self.vectors, row)
        return {"vectors": vectors, "row": row}


@pytest.fixture(params=["TF1 Hub format", "TF2 SavedModel"])
def column(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A trainable column, over a module of either kind."""
    if request.param == "TF1 Hub format":
        path = exported(tmp_path / "words", words_fn)
        return hub.text_embedding_column_v2("f", path, trainable=True)
    tf.saved_model.save(Words(), str(tmp_path / "words"))
    return hub.text_embedding_column_v2("f", str(tmp_path / "words"), "vectors", True)


@pytest.mark.parametrize("shape", [[3], [3, 1]])
def test_text_is_embedded(column: Any, shape: list[int]) -> None:
    feature = tf.reshape(tf.constant(["a", "b", "a"]), shape)
    layer = tf.keras.layers.DenseFeatures([column])
    np.testing.assert_array_equal(layer({"f": feature}), EMBEDDED)
    assert len(layer.trainable_weights) == 1


def test_text_is_embedded_in_a_graph(column: Any) -> None:
    with tf.Graph().as_default():
        layer = tf.keras.layers.DenseFeatures([column])
        vectors = layer({"f": tf.constant(["a", "b", "a"])})
        with initialised_session() as session:
            np.testing.assert_array_equal(session.run(vectors), EMBEDDED)


def test_a_model_trains_it(column: Any) -> None:
    features = tf.keras.layers.DenseFeatures([column])
    model = tf.keras.Sequential([features, tf.keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.fit({"f": tf.constant(["a", "b"])}, np.ones([2, 1]), verbose=0)
    [vectors] = features.trainable_weights
    moved = ~np.isclose(vectors.numpy(), list(VECTORS.values())).all(axis=1)
    assert moved.tolist() == [True, True, False]


def test_what_is_known_without_a_layer(column: Any) -> None:
    assert column.name == "f_hub_module_embedding"
    assert column.parents == ["f"]
    assert column.variable_shape.as_list() == [2]
    assert tf.feature_column.make_parse_example_spec([column]) == {
        "f": tf.io.FixedLenFeature([1], tf.string)
    }


def test_the_config_is_that_of_old_programs(column: Any) -> None:
    assert list(column.get_config()) == ["key", "module_path", "output_key", "trainable"]
    assert type(column).from_config(column.get_config()) == column


def test_layers_come_back(column: Any) -> None:
    layer = tf.keras.layers.DenseFeatures([column])
    classes = {type(column).__name__: type(column)}
    again = tf.keras.layers.DenseFeatures.from_config(layer.get_config(), classes)
    assert list(again._feature_columns) == [column]


def test_columns_are_values(column: Any) -> None:
    same = type(column).from_config(column.get_config())
    assert (column, hash(column)) == (same, hash(same))
    assert copy.deepcopy(column) is column


def test_it_takes_one_string_an_example(column: Any) -> None:
    layer = tf.keras.layers.DenseFeatures([column])
    with pytest.raises(SignatureMismatchError, match="sparse_text_embedding_column"):
        layer({"f": tf.constant([["a", "b"]])})


@pytest.mark.parametrize("trainable", [True, False])
def test_a_layer_that_is_not_trainable_freezes_the_module(column: Any, trainable: bool) -> None:
    layer = tf.keras.layers.DenseFeatures([column], trainable)
    layer({"f": tf.constant(["a"])})
    modules = [part for part in layer.submodules if type(part).__name__ == "KerasLayer"]
    assert [module.trainable for module in modules] == [trainable]


def test_a_module_must_embed_text(tmp_path: Path) -> None:
    tf.saved_model.save(Words(), str(tmp_path))
    with pytest.raises(SignatureMismatchError, match="by `output_key`"):
        hub.text_embedding_column_v2("f", str(tmp_path))


class Pairs(tf.Module):
    """A SavedModel of TF2 that needs two texts."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)] * 2)
    def __call__(self, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
        return tf.zeros([tf.size(first), 2])


def test_a_module_must_take_one_text(tmp_path: Path) -> None:
    tf.saved_model.save(Pairs(), str(tmp_path))
    with pytest.raises(SignatureMismatchError, match=r"called with one string tensor.*second"):
        hub.text_embedding_column_v2("f", str(tmp_path))


@pytest.mark.parametrize("name", ["DNNClassifier", "LinearClassifier"])
def test_canned_estimators_train_evaluate_predict_and_export(
    column: Any, model_dir: str, name: str, tmp_path: Path
) -> None:
    arguments = {"hidden_units": [4]} if name == "DNNClassifier" else {}
    estimator = getattr(tf.estimator, name)(
        feature_columns=[column],
        model_dir=model_dir,
        optimizer=lambda: tf.keras.optimizers.legacy.Adagrad(0.5),
        config=config(),
        **arguments,
    )
    estimator.train(sentiment(), steps=60)
    assert estimator.evaluate(sentiment(1))["accuracy"] == 1.0
    predictions = list(estimator.predict(sentiment(1)))
    assert [p["class_ids"][0] for p in predictions] == [0, 1, 0, 1]
    path = estimator.export_saved_model(str(tmp_path / "served"), receive_text)
    served = tf.saved_model.load(path.decode()).signatures["predict"]
    assert served(tf.constant(["a", "b"]))["class_ids"].numpy().tolist() == [[0], [1]]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""A feature column that embeds text with a KerasLayer."""

from __future__ import annotations

import functools
import os
from dataclasses import asdict, dataclass
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import SignatureMismatchError
from hubmodule.estimator.embedding_column import EmbeddingColumn, one_text_each
from hubmodule.tf2.layer_call import LayerCall

_LAYER = "layer"


def text_embedding_column_v2(
    key: str,
    module_path: str | os.PathLike[str],
    output_key: str | None = None,
    trainable: bool = False,
) -> LayerTextEmbeddingColumn:
    """A dense column that embeds a text feature with whatever hub.KerasLayer takes.

        comment = hub.text_embedding_column_v2("comment", "/path/to/text-module")
        vectors = tf.keras.layers.DenseFeatures([comment])({"comment": texts})

    Args:
        key: of the feature, a string tensor of shape [batch] or [batch, 1].
        module_path: a handle, of a module or SavedModel that maps strings [batch] to
            float32 [batch, N].
        output_key: which output to take, if there are several.
        trainable: whether the model trains the module.
    """
    return LayerTextEmbeddingColumn(key, os.fspath(module_path), output_key, trainable)


@dataclass(frozen=True)
class LayerTextEmbeddingColumn(EmbeddingColumn):
    """What text_embedding_column_v2() returns; for DenseFeatures and canned estimators.

    Attributes:
        module_path: a handle.
        output_key: which output to take, or None.
        trainable: whether the model trains the module.
    """

    module_path: str
    output_key: str | None = None
    trainable: bool = False

    def __post_init__(self) -> None:
        _ = self.variable_shape

    @functools.cached_property
    def variable_shape(self) -> tf.TensorShape:
        """[N], the shape of the vector of one example.

        Raises:
            SignatureMismatchError: The module is not a text embedding.
        """
        # No layer: Keras 2 takes one in a graph as a sign that all are to be as in TF1.
        with tf.Graph().as_default():
            text = tf.compat.v1.placeholder(tf.string, [None])
            vectors = self._call(LayerCall(self.module_path, output_key=self.output_key), text)
        shape = getattr(vectors, "shape", tf.TensorShape(None))
        if shape.rank != 2 or shape[1] is None:
            raise SignatureMismatchError(
                f"{self.module_path} is not a text embedding: for strings of shape [batch] it "
                f"gives {vectors}, not float32 [batch, N] with known N. Choose one of several "
                "outputs by `output_key`."
            )
        return shape[1:]

    def create_state(self, state_manager: Any) -> None:
        """Makes the KerasLayer, tracked by the layer that has the column."""
        trainable = self.trainable and _tf.is_layer_trainable(state_manager)
        state_manager.add_resource(self, _LAYER, self._make_layer(trainable))

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> tf.Tensor:
        """The vectors, of shape [batch, N]."""
        layer = state_manager.get_resource(self, _LAYER)
        return layer(transformation_cache.get(self, state_manager))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the column."""
        return asdict(self)

    def _feature(self) -> Any:
        return tf.io.FixedLenFeature([1], tf.string)

    def _prepared(self, feature: Any) -> tf.Tensor:
        return one_text_each(feature, self.key)

    def _call(self, call: LayerCall, text: tf.Tensor) -> Any:
        """Applies the module to strings of shape [batch]."""
        try:
            return call(text, False)
        except (TypeError, ValueError) as error:
            raise SignatureMismatchError(
                f"{self.module_path} is not a text embedding, as it cannot be called with one "
                f"string tensor of shape [batch]: {error}"
            ) from error

    def _make_layer(self, trainable: bool) -> Any:
        # Only Keras 2 has DenseFeatures. Not imported before it is certain to be used.
        from hubmodule.tf2.keras2_layer import KerasLayer

        return KerasLayer(self.module_path, trainable=trainable, output_key=self.output_key)

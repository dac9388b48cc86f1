"""A feature column that embeds text with a KerasLayer."""

from __future__ import annotations

import functools
import os
from dataclasses import asdict, dataclass
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import SignatureMismatchError
from hubmodule.estimator.embedding_column import EmbeddingColumn, flatten_texts
from hubmodule.keras.layer_call import LayerCall

_LAYER = "layer"


def text_embedding_column_v2(
    key: str,
    module_path: str | os.PathLike[str],
    output_key: str | None = None,
    trainable: bool = False,
) -> LayerTextEmbeddingColumn:
    """Makes a dense column that embeds a text feature with a hub.KerasLayer.

        >>> comment = hub.text_embedding_column_v2("comment", "modules/text")
        >>> texts = tf.constant(["a text", "another"])
        >>> tf.keras.layers.DenseFeatures([comment])({"comment": texts}).shape
        TensorShape([2, 4])

    Args:
        key: Name of the feature, a string tensor of shape [batch] or [batch, 1]; or the feature
            column that computes it.
        module_path: Handle of a module or SavedModel that maps strings of shape [batch] to
            float32 of shape [batch, N].
        output_key: Name of the output to take, if there are several; None means "default".
        trainable: Whether the model trains the module.

    Raises:
        SignatureMismatchError: If the module is not a text embedding.
        HandleNotFoundError: If nothing exists at the handle; see hub.load().
    """
    return LayerTextEmbeddingColumn(key, os.fspath(module_path), output_key, trainable)


@dataclass(frozen=True)
class LayerTextEmbeddingColumn(EmbeddingColumn):
    """The column that text_embedding_column_v2() returns.

    Attributes:
        module_path: Handle of the module or SavedModel.
        output_key: Name of the output to take, or None.
        trainable: Whether the model trains the module.
    """

    module_path: str
    output_key: str | None = None
    trainable: bool = False

    def __post_init__(self) -> None:
        _ = self.variable_shape

    @functools.cached_property
    def variable_shape(self) -> tf.TensorShape:
        """Shape of the vector of one example, [N].

        Raises:
            SignatureMismatchError: If the module is not a text embedding.
        """
        # Not a KerasLayer: after a layer was made in a graph, Keras 2 makes all layers as in TF1.
        with tf.Graph().as_default():
            text = tf.compat.v1.placeholder(tf.string, [None])
            vectors = self._embed_texts(
                LayerCall(self.module_path, output_key=self.output_key), text
            )
        shape = getattr(vectors, "shape", tf.TensorShape(None))
        if shape.rank != 2 or tf.compat.dimension_value(shape[1]) is None:
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
        """Returns the vectors, float32 of shape [batch, N]."""
        layer = state_manager.get_resource(self, _LAYER)
        return layer(transformation_cache.get(self, state_manager))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the column."""
        return asdict(self)

    def _make_parsing_spec(self) -> Any:
        return tf.io.FixedLenFeature([1], tf.string)

    def _prepare(self, feature: Any) -> tf.Tensor:
        return flatten_texts(feature, self.key)

    def _embed_texts(self, call: LayerCall, text: tf.Tensor) -> Any:
        """Applies the module to strings of shape [batch]."""
        try:
            return call(text, False)
        except (TypeError, ValueError) as error:
            raise SignatureMismatchError(
                f"{self.module_path} is not a text embedding, as it cannot be called with one "
                f"string tensor of shape [batch]: {error}"
            ) from error

    def _make_layer(self, trainable: bool) -> Any:
        # Only Keras 2 has DenseFeatures. Imported here, since importing it can load Keras 2.
        from hubmodule.keras.keras2_layer import KerasLayer

        return KerasLayer(self.module_path, trainable=trainable, output_key=self.output_key)

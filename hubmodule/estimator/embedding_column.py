"""What the feature columns that embed a feature have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import SignatureMismatchError


@dataclass(frozen=True)
class EmbeddingColumn(_tf.DenseColumn):
    """A dense column over one feature.

    Attributes:
        key: Name of the feature, or the feature column that computes it.
    """

    key: Any

    _is_v2_column = True

    def __deepcopy__(self, memo: dict[int, Any]) -> EmbeddingColumn:
        # The Estimator copies its parameters; what cannot change may be shared.
        return self

    @property
    def name(self) -> str:
        """The name of the column, and of the scope of its variables."""
        feature = self.key if isinstance(self.key, str) else self.key.name
        return f"{feature}_hub_module_embedding"

    @property
    def parents(self) -> list[Any]:
        """What the column is computed from: the feature's name, or its column."""
        return [self.key]

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """How tf.io.parse_example reads the feature."""
        if isinstance(self.key, str):
            return {self.key: self._feature()}
        return self.key.parse_example_spec

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        """The feature as it is going to be embedded."""
        return self._prepared(transformation_cache.get(self.key, state_manager))

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        custom_objects: Mapping[str, Any] | None = None,
        columns_by_name: Mapping[str, Any] | None = None,
    ) -> EmbeddingColumn:
        """Makes the column that get_config() describes."""
        return cls(**cls._arguments(config))

    @classmethod
    def _arguments(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of the class in a config."""
        return dict(config)

    @abstractmethod
    def _feature(self) -> Any:
        """What tf.io.parse_example needs to know of the feature."""

    @abstractmethod
    def _prepared(self, feature: Any) -> Any:
        """The feature as it is going to be embedded."""


def one_text_each(feature: Any, key: str) -> tf.Tensor:
    """A feature of one string an example, as a tensor of shape [batch].

    Args:
        feature: of shape [batch] or [batch, 1].
        key: of the feature, for errors.

    Raises:
        SignatureMismatchError: if there may be another number of strings an example.
    """
    if isinstance(feature, (tf.SparseTensor, tf.RaggedTensor)):
        raise SignatureMismatchError(
            f"Feature '{key}' is a {type(feature).__name__}, but text_embedding_column "
            "takes one string an example; use sparse_text_embedding_column for any number."
        )
    text = tf.convert_to_tensor(feature)
    if any(size not in (None, 1) for size in text.shape[1:].as_list()):
        raise SignatureMismatchError(
            f"Feature '{key}' has shape {text.shape}, but text_embedding_column takes one "
            "string an example; use sparse_text_embedding_column for several."
        )
    return tf.reshape(text, [-1])

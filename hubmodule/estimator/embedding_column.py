"""The base class of feature columns that embed a feature."""

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
        # The Estimator copies its parameters; a frozen column can be shared.
        return self

    @property
    def name(self) -> str:
        """The name of the column, and of the scope of its variables."""
        feature = self.key if isinstance(self.key, str) else self.key.name
        return f"{feature}_hub_module_embedding"

    @property
    def parents(self) -> list[Any]:
        """The name of the feature, or the column that computes it, in a list."""
        return [self.key]

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """The specification with which tf.io.parse_example reads the feature."""
        if isinstance(self.key, str):
            return {self.key: self._make_parsing_spec()}
        return self.key.parse_example_spec

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        """Returns the feature, converted to the input of the module."""
        return self._prepare(transformation_cache.get(self.key, state_manager))

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        custom_objects: Mapping[str, Any] | None = None,
        columns_by_name: Mapping[str, Any] | None = None,
    ) -> EmbeddingColumn:
        """Makes the column that get_config() describes."""
        return cls(**cls._read_config(config))

    @classmethod
    def _read_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments of the class from a config."""
        return dict(config)

    @abstractmethod
    def _make_parsing_spec(self) -> Any:
        """Returns the specification with which tf.io.parse_example reads the feature."""

    @abstractmethod
    def _prepare(self, feature: Any) -> Any:
        """Converts the feature to the input of the module."""


def flatten_texts(feature: Any, key: str) -> tf.Tensor:
    """Reshapes a feature with one string per example to shape [batch].

    Args:
        feature: String tensor of shape [batch] or [batch, 1].
        key: Name of the feature, for the error message.

    Raises:
        SignatureMismatchError: If the feature is sparse or ragged, or has several strings per
            example.
    """
    if isinstance(feature, (tf.SparseTensor, tf.RaggedTensor)):
        raise SignatureMismatchError(
            f"Feature '{key}' is a {type(feature).__name__}, but text_embedding_column "
            "takes one string per example; use sparse_text_embedding_column for any number."
        )
    text = tf.convert_to_tensor(feature)
    if any(size not in (None, 1) for size in text.shape[1:].as_list()):
        raise SignatureMismatchError(
            f"Feature '{key}' has shape {text.shape}, but text_embedding_column takes one "
            "string per example; use sparse_text_embedding_column for several."
        )
    return tf.reshape(text, [-1])

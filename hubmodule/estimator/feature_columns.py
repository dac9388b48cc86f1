"""Feature columns that embed a feature with a module."""

from __future__ import annotations

import functools
import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import ColumnConfigError, ModuleDefinitionError, SignatureMismatchError
from hubmodule.estimator.embedding_column import EmbeddingColumn, flatten_texts
from hubmodule.estimator.exporter import register_module_for_export
from hubmodule.format.signatures import TensorInfo
from hubmodule.module import images
from hubmodule.module.loading import convert_to_spec
from hubmodule.module.module import Module
from hubmodule.module.spec import ModuleSpec

# The key of a collection of ((variable scope, column), Module), for scopes that programs reuse.
_MODULES = ("hubmodule_modules_of_columns",)

_COMBINERS = {
    "mean": tf.math.unsorted_segment_mean,
    "sqrtn": tf.math.unsorted_segment_sqrt_n,
    "sum": tf.math.unsorted_segment_sum,
}


def text_embedding_column(
    key: str,
    module_spec: ModuleSpec | str | os.PathLike[str],
    trainable: bool = False,
    *,
    export_name: str | None = None,
) -> TextEmbeddingColumn:
    """Makes a dense column that embeds a text feature with a module.

        >>> comment = hub.text_embedding_column("comment", "modules/text", trainable=True)
        >>> estimator = tf.estimator.DNNClassifier([16], [comment])
        >>> with tf.Graph().as_default():
        ...     features = {"comment": ["a text", "another"]}
        ...     tf.compat.v1.feature_column.input_layer(features, [comment]).shape
        TensorShape([2, 4])

    Args:
        key: Name of the feature, a string tensor of shape [batch] or [batch, 1]; or the feature
            column that computes it.
        module_spec: ModuleSpec or handle of a module that maps strings of shape [batch] to
            float32 of shape [batch, N].
        trainable: Whether the model trains the module.
        export_name: Name under which LatestModuleExporter exports the module; None means that it is
            not exported.

    Raises:
        SignatureMismatchError: If the module is not a text embedding.
        HandleNotFoundError: If nothing exists at the handle; see hub.load_module_spec().
    """
    return TextEmbeddingColumn(key, module_spec, trainable, export_name)


def sparse_text_embedding_column(
    key: str,
    module_spec: ModuleSpec | str | os.PathLike[str],
    combiner: str,
    default_value: str | None,
    trainable: bool = False,
    *,
    export_name: str | None = None,
) -> SparseTextEmbeddingColumn:
    """Makes a dense column that embeds several strings per example, and combines their vectors.

        >>> words = hub.sparse_text_embedding_column("words", "modules/text", "mean", None)
        >>> with tf.Graph().as_default():
        ...     features = {"words": [["two", "words"], ["one", ""]]}
        ...     tf.compat.v1.feature_column.input_layer(features, [words]).shape
        TensorShape([2, 4])

    Args:
        key: Name of the feature, a string SparseTensor of shape [batch, n], or a dense tensor
            in which "" means no string; or the feature column that computes it.
        module_spec: ModuleSpec or handle of a module that maps strings of shape [batch] to
            float32 of shape [batch, N].
        combiner: How to combine the vectors of an example: "mean", "sqrtn" or "sum".
        default_value: String to embed for an example without strings; None means that its vector
            is zero.
        trainable: Whether the model trains the module.
        export_name: Name under which LatestModuleExporter exports the module; None means that it is
            not exported.

    Raises:
        SignatureMismatchError: If the module is not a text embedding, or the combiner is unknown.
        HandleNotFoundError: If nothing exists at the handle; see hub.load_module_spec().
    """
    return SparseTextEmbeddingColumn(
        key, module_spec, trainable, export_name, combiner, default_value
    )


def image_embedding_column(
    key: str,
    module_spec: ModuleSpec | str | os.PathLike[str],
    image_size: tuple[int, int] | None = None,
    *,
    export_name: str | None = None,
) -> ImageEmbeddingColumn:
    """Makes a dense column that embeds an image feature with a module.

        >>> photo = hub.image_embedding_column("photo", "modules/images")
        >>> with tf.Graph().as_default():
        ...     features = {"photo": tf.zeros([2, 8, 8, 3])}
        ...     tf.compat.v1.feature_column.input_layer(features, [photo]).shape
        TensorShape([2, 3])

    Args:
        key: Name of the feature, float32 of shape [batch, height, width, channels] with values
            in [0, 1]; or the feature column that computes it.
        module_spec: ModuleSpec or handle of a module that maps such `images` to float32 of
            shape [batch, N].
        image_size: Height and width in pixels; None means the size that the module expects.
        export_name: Name under which LatestModuleExporter exports the module; None means that it is
            not exported.

    Raises:
        ModuleDefinitionError: If neither the module nor `image_size` gives the size.
        SignatureMismatchError: If the module is not an image embedding.
        HandleNotFoundError: If nothing exists at the handle; see hub.load_module_spec().
    """
    return ImageEmbeddingColumn(key, module_spec, False, export_name, image_size)


@dataclass(frozen=True)
class ModuleColumn(EmbeddingColumn, *_tf.DENSE_COLUMN_BASES):  # type: ignore[misc]
    """A dense column whose vectors a module computes, for input_layer and DenseFeatures.

    The module's variables are in the scope of the column, which has its name, so the graphs for
    training, evaluation and prediction share checkpoints.

    Attributes:
        source: The module as it was given: a ModuleSpec, or a handle.
        trainable: Whether the model trains the module.
        export_name: Name under which LatestModuleExporter exports the module, or None.
    """

    source: ModuleSpec | str | os.PathLike[str]
    trainable: bool = False
    export_name: str | None = None

    def __post_init__(self) -> None:
        self._check()

    @functools.cached_property
    def module_spec(self) -> ModuleSpec:
        """The ModuleSpec, loaded if the module was given by a handle."""
        return convert_to_spec(self.source)

    @property
    def variable_shape(self) -> tf.TensorShape:
        """Shape of the vector of one example, [N]."""
        return self.module_spec.get_output_info_dict()["default"].get_shape()[1:]

    def create_state(self, state_manager: Any) -> None:
        """Makes the module in the current variable scope; the layer tracks it."""
        module = self._instantiate(_tf.is_layer_trainable(state_manager))
        state_manager.add_resource(self, "module", _TrackedModule(module))

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> tf.Tensor:
        """Returns the vectors, float32 of shape [batch, N]."""
        tracked = state_manager.get_resource(self, "module")
        return self._embed(tracked.module, transformation_cache.get(self, state_manager))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the column as plain values.

        Raises:
            ColumnConfigError: If the module is given by a ModuleSpec, not by a handle.
        """
        if isinstance(self.source, ModuleSpec):
            raise ColumnConfigError(
                f"Column '{self.name}' has a config only if its module is given by a handle, a "
                f"string, not by {self.source!r}; export the module, and pass its path."
            )
        config = dict(vars(self), module_spec_path=os.fspath(self.source))
        return {key: config[key] for key in ["module_spec_path", *self._get_config_keys()]}

    @classmethod
    def _read_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        arguments = dict(config)
        return {"source": arguments.pop("module_spec_path"), **arguments}

    # The methods that tf.compat.v1.feature_column calls.

    @property
    def _variable_shape(self) -> tf.TensorShape:
        return self.variable_shape

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        return self.parse_example_spec

    def _transform_feature(self, inputs: Any) -> Any:
        return self._prepare(inputs.get(self.key))

    def _get_dense_tensor(
        self, inputs: Any, weight_collections: Any = None, trainable: bool | None = None
    ) -> tf.Tensor:
        module = self._find_or_make_module(trainable is not False)
        return self._embed(module, inputs.get(self))

    def _find_or_make_module(self, trainable: bool) -> Module:
        """Returns the module of the current variable scope; a reused scope has one already."""
        scope = tf.compat.v1.get_variable_scope()
        graph = tf.compat.v1.get_default_graph()
        known = dict(graph.get_collection(_MODULES))
        if scope.reuse and (scope.name, self) in known:
            return known[scope.name, self]
        module = self._instantiate(trainable)
        graph.add_to_collection(_MODULES, ((scope.name, self), module))
        return module

    def _instantiate(self, trainable: bool) -> Module:
        module = Module(self.module_spec, trainable=self.trainable and trainable)
        if self.export_name is not None:
            register_module_for_export(module, self.export_name)
        return module

    def _get_config_keys(self) -> Sequence[str]:
        return ["key", "trainable", "export_name"]

    @abstractmethod
    def _check(self) -> None:
        """Checks that the column can use the module.

        Raises:
            SignatureMismatchError: If the inputs or outputs of the module are not those that the
                column needs.
        """

    @abstractmethod
    def _embed(self, module: Module, prepared: Any) -> tf.Tensor:
        """Applies the module to a batch; returns float32 of shape [batch, N]."""


class _TrackedModule(tf.Module):
    """Lets a Keras layer track a module, so that the layer has its variables."""

    def __init__(self, module: Module):
        super().__init__(name="module")
        self.module = module
        self.module_variables = module.variables


class TextEmbeddingColumn(ModuleColumn):
    """The column that text_embedding_column() returns."""

    def _check(self) -> None:
        _check_text_embedding(self.module_spec)

    def _make_parsing_spec(self) -> Any:
        return tf.io.FixedLenFeature([1], tf.string)

    def _prepare(self, feature: Any) -> tf.Tensor:
        return flatten_texts(feature, self.key)

    def _embed(self, module: Module, prepared: tf.Tensor) -> tf.Tensor:
        return module(prepared)


@dataclass(frozen=True)
class SparseTextEmbeddingColumn(ModuleColumn):
    """The column that sparse_text_embedding_column() returns.

    Attributes:
        combiner: How to combine the vectors of an example: "mean", "sqrtn" or "sum".
        default_value: String to embed for an example without strings; None means that its vector
            is zero.
    """

    combiner: str = "mean"
    default_value: str | None = None

    def _check(self) -> None:
        if self.combiner not in _COMBINERS:
            raise SignatureMismatchError(
                f"combiner is {self.combiner!r}, but must be one of {sorted(_COMBINERS)}."
            )
        _check_text_embedding(self.module_spec)

    def _get_config_keys(self) -> Sequence[str]:
        return [*super()._get_config_keys(), "combiner", "default_value"]

    def _make_parsing_spec(self) -> Any:
        return tf.io.VarLenFeature(tf.string)

    def _prepare(self, feature: Any) -> tf.SparseTensor:
        sparse = feature
        if isinstance(feature, tf.RaggedTensor):
            sparse = feature.to_sparse()
        elif not isinstance(feature, tf.SparseTensor):
            dense = tf.convert_to_tensor(feature)
            sparse = tf.sparse.from_dense(dense[:, tf.newaxis] if dense.shape.rank == 1 else dense)
        if self.default_value is not None:
            sparse, _ = tf.sparse.fill_empty_rows(sparse, self.default_value)
        return sparse

    def _embed(self, module: Module, prepared: tf.SparseTensor) -> tf.Tensor:
        vectors = module(prepared.values)
        combine = _COMBINERS[self.combiner]
        return combine(vectors, prepared.indices[:, 0], prepared.dense_shape[0])


@dataclass(frozen=True)
class ImageEmbeddingColumn(ModuleColumn):
    """The column that image_embedding_column() returns.

    Attributes:
        image_size: Height and width in pixels; None means the size that the module expects.
    """

    image_size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        # A config from JSON has a list, which is not hashable.
        object.__setattr__(self, "image_size", _check_image_size(self.image_size))
        super().__post_init__()

    def _check(self) -> None:
        infos = self.module_spec.get_input_info_dict()
        if list(infos) != ["images"] or infos["images"].dtype != tf.float32:
            raise SignatureMismatchError(
                f"{self.module_spec!r} is not an image embedding: its signature 'default' takes "
                f"{infos}, not one float32 input 'images' alone."
            )
        _check_vectors(self.module_spec, "an image embedding")
        self._get_image_shape()

    def _get_config_keys(self) -> Sequence[str]:
        return ["key", "export_name", "image_size"]

    def _make_parsing_spec(self) -> Any:
        return tf.io.FixedLenFeature(self._get_image_shape(), tf.float32)

    def _get_image_shape(self) -> list[int]:
        height, width = self.image_size or images.get_expected_image_size(self.module_spec)
        return [height, width, images.get_num_image_channels(self.module_spec)]

    def _prepare(self, feature: Any) -> tf.Tensor:
        return feature

    def _embed(self, module: Module, prepared: tf.Tensor) -> tf.Tensor:
        return module({"images": prepared})


def _check_image_size(image_size: Sequence[int] | None) -> tuple[int, int] | None:
    if image_size is None:
        return None
    if not isinstance(image_size, Sequence) or len(image_size) != 2:
        raise ModuleDefinitionError(
            f"image_size is {image_size!r}, but must be (height, width), in pixels, or None."
        )
    return image_size[0], image_size[1]


def _check_text_embedding(spec: ModuleSpec) -> None:
    infos = list(spec.get_input_info_dict().values())
    fits = len(infos) == 1 and infos[0].dtype == tf.string and not infos[0].is_composite
    if not fits or infos[0].get_shape().rank not in (1, None) or _has_fixed_batch(infos[0]):
        raise SignatureMismatchError(
            f"{spec!r} is not a text embedding: its signature 'default' takes {infos}, not one "
            "string tensor of shape [batch], for any batch size."
        )
    _check_vectors(spec, "a text embedding")
    output = spec.get_output_info_dict()["default"]
    if _has_fixed_batch(output):
        raise SignatureMismatchError(
            f"{spec!r} is not a text embedding: its signature 'default' gives {output} for any "
            "number of strings, not a vector for each."
        )


def _has_fixed_batch(info: TensorInfo) -> bool:
    shape = info.get_shape()
    return bool(shape.rank) and tf.compat.dimension_value(shape[0]) is not None


def _check_vectors(spec: ModuleSpec, kind: str) -> None:
    infos = spec.get_output_info_dict()
    output = infos.get("default")
    fits = output is not None and output.dtype == tf.float32
    shape = output.get_shape() if output is not None else tf.TensorShape(None)
    if not fits or shape.rank != 2 or tf.compat.dimension_value(shape[1]) is None:
        raise SignatureMismatchError(
            f"{spec!r} is not {kind}: its signature 'default' gives {infos}, without an output "
            "'default' of float32 [batch, N] with known N."
        )

"""`tf.contrib.predictor`: a function of a SavedModel's signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf


class SavedModelPredictor:
    """Computes the outputs of a signature of a SavedModel, which a session of its own holds.

    Args:
        export_dir: Directory of the SavedModel.
        signature_def_key: Name of the signature; None is "serving_default".
        tags: Tags of the MetaGraph, separated by commas; None is "serve".
        graph: The graph to load into; None makes one.
        config: Configuration of the session.
    """

    def __init__(
        self,
        export_dir: str,
        signature_def_key: str | None = None,
        tags: str | None = None,
        graph: Any = None,
        config: Any = None,
    ):
        v1 = tf.compat.v1
        self.graph = graph or tf.Graph()
        with self.graph.as_default():
            self.session = v1.Session(config=config)
            meta_graph = v1.saved_model.load(
                self.session, (tags or v1.saved_model.SERVING).split(","), export_dir
            )
        key = signature_def_key or v1.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
        if key not in meta_graph.signature_def:
            raise ValueError(
                f"{export_dir} has no signature {key!r}; "
                f"it has {', '.join(sorted(meta_graph.signature_def))}"
            )
        signature = meta_graph.signature_def[key]
        self.feed_tensors = self._find_tensors(signature.inputs)
        self.fetch_tensors = self._find_tensors(signature.outputs)

    def __call__(self, input_dict: Mapping[str, Any]) -> dict[str, Any]:
        """Computes the outputs.

        Args:
            input_dict: Values of the inputs, by their names in the signature.

        Returns:
            The outputs as arrays, by their names in the signature.

        Raises:
            ValueError: If the signature has no input of one of the names.
        """
        unknown = sorted(set(input_dict) - set(self.feed_tensors))
        if unknown:
            raise ValueError(
                f"no input {', '.join(unknown)}; the signature has {', '.join(self.feed_tensors)}"
            )
        feeds = {self.feed_tensors[name]: value for name, value in input_dict.items()}
        return self.session.run(self.fetch_tensors, feeds)

    def _find_tensors(self, infos: Mapping[str, Any]) -> dict[str, Any]:
        find = tf.compat.v1.saved_model.get_tensor_from_tensor_info
        return {name: find(infos[name], self.graph) for name in sorted(infos)}


def from_saved_model(
    export_dir: str,
    signature_def_key: str | None = None,
    signature_def: Any = None,
    input_names: Any = None,
    output_names: Any = None,
    tags: str | None = None,
    graph: Any = None,
    config: Any = None,
) -> SavedModelPredictor:
    """Makes a function of a SavedModel; the arguments are those of `SavedModelPredictor`.

    `signature_def`, `input_names` and `output_names` are not supported, and must be None.
    """
    if signature_def or input_names or output_names:
        raise ValueError(
            "signature_def, input_names and output_names are not supported; use signature_def_key"
        )
    return SavedModelPredictor(export_dir, signature_def_key, tags, graph, config)

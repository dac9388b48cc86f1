"""The collections of a MetaGraph: the supported ones, and the names in them."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import DecodeError
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.errors import ModuleDefinitionError, ModuleFormatError

VARIABLES = "variables"
TRAINABLE_VARIABLES = "trainable_variables"
MODEL_VARIABLES = "model_variables"
TABLE_INITIALIZERS = "table_initializer"
UPDATE_OPS = "update_ops"
REGULARIZATION_LOSSES = "regularization_losses"
ASSET_FILEPATHS = "asset_filepaths"
COND_CONTEXT = "cond_context"
WHILE_CONTEXT = "while_context"
ATTACHMENTS = "hub_module_attachments"
SAVED_MODEL_ASSETS = "saved_model_assets"

SUPPORTED = frozenset(
    {
        VARIABLES,
        TRAINABLE_VARIABLES,
        MODEL_VARIABLES,
        TABLE_INITIALIZERS,
        UPDATE_OPS,
        REGULARIZATION_LOSSES,
        ASSET_FILEPATHS,
        COND_CONTEXT,
        WHILE_CONTEXT,
        ATTACHMENTS,
    }
)


def check_supported(keys: Iterable[str]) -> None:
    """Checks that a module may have collections with these names.

    Raises:
        ModuleDefinitionError: If it may not; the message lists the unsupported names.
    """
    unsupported = sorted(key for key in set(keys) - SUPPORTED if isinstance(key, str))
    if unsupported:
        raise ModuleDefinitionError(
            f"Unsupported collections in graph: {unsupported}. A module cannot carry them; if it "
            "works without them, pass drop_collections with their names to "
            "hub.create_module_spec()."
        )


def list_names(meta_graph: MetaGraphDef, key: str) -> list[str]:
    """Returns the names of the ops or tensors in a collection, without repetitions."""
    if key not in meta_graph.collection_def:
        return []
    return list(dict.fromkeys(meta_graph.collection_def[key].node_list.value))


def read_variable_defs(meta_graph: MetaGraphDef, key: str) -> list[VariableDef]:
    """Returns the variables of a collection, without repetitions.

    Raises:
        ModuleFormatError: If a variable cannot be read.
    """
    if key not in meta_graph.collection_def:
        return []
    serialized = dict.fromkeys(meta_graph.collection_def[key].bytes_list.value)
    try:
        return [VariableDef.FromString(value) for value in serialized]
    except DecodeError as error:
        raise ModuleFormatError(
            f"Collection '{key}' is damaged: {error}. Fetch the module again."
        ) from error

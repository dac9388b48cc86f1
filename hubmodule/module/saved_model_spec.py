"""Makes specs out of TF1 SavedModels."""

from __future__ import annotations

import os
from collections.abc import Iterable

from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.auditing.policy import check_policy
from hubmodule.errors import ModuleFormatError
from hubmodule.format import saved_model
from hubmodule.module.spec import ModuleSpec
from hubmodule.module.variant import Variant
from hubmodule.resolver import resolvers
from hubmodule.surgery import collections, portability

# The step belongs to the program that trained; a module's state is initialised otherwise.
_ALWAYS_DROPPED = frozenset(
    {"global_step", "legacy_init_op", "saved_model_main_op", "saved_model_train_op"}
)
_INIT_SIGNATURES = ("__saved_model_init_op", "__saved_model_train_op")


def create_module_spec_from_saved_model(
    saved_model_path: str | os.PathLike[str], drop_collections: Iterable[str] | None = None
) -> ModuleSpec:
    """Makes a spec out of a SavedModel that was made by TF1.

    Its signatures, tags, variables and assets become those of the module. The global
    step and the init op are always dropped.

    Args:
        saved_model_path: of the directory.
        drop_collections: names of collections that the module is to be made without.

    Raises:
        HandleNotFoundError: if there is nothing.
        ModuleDefinitionError: if it has collections that a module cannot carry.
        ModuleFormatError: if it is no SavedModel, or one made by TF2.
        ModuleRefusedError: if HUBMODULE_AUDIT is "refuse", and the audit has findings.
    """
    path = resolvers.resolve(saved_model_path)
    check_policy(path)
    dropped = _ALWAYS_DROPPED | set(drop_collections or ())
    variants = [_variant(meta_graph, dropped, path) for meta_graph in saved_model.read(path)]
    return ModuleSpec(variants, saved_model.checkpoint_prefix(path), path)


def _variant(meta_graph: MetaGraphDef, dropped: Iterable[str], path: str) -> Variant:
    if meta_graph.HasField("object_graph_def"):
        raise ModuleFormatError(
            f"The SavedModel in {path} was made by TF2, whose variables are not in collections: "
            "use hub.load()."
        )
    for key in dropped:
        meta_graph.collection_def.pop(key, None)
    for name in _INIT_SIGNATURES:
        meta_graph.signature_def.pop(name, None)
    meta_graph.ClearField("saver_def")
    collections.check_supported(meta_graph.collection_def)
    return Variant(
        frozenset(meta_graph.meta_info_def.tags),
        portability.for_older_tensorflow(meta_graph),
        path,
    )

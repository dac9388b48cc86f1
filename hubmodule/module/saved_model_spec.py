"""Makes specs from TF1 SavedModels."""

from __future__ import annotations

import os
from collections.abc import Iterable

from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import settings
from hubmodule.errors import ModuleFormatError
from hubmodule.format import saved_model
from hubmodule.module.loading import find_directory
from hubmodule.module.spec import ModuleSpec
from hubmodule.module.variant import Variant
from hubmodule.surgery import collections, portability

# The step belongs to the program that trained; the state of a module is initialised by hub.Module.
_ALWAYS_DROPPED = frozenset(
    {"global_step", "legacy_init_op", "saved_model_main_op", "saved_model_train_op"}
)
_INIT_SIGNATURES = ("__saved_model_init_op", "__saved_model_train_op")


def create_module_spec_from_saved_model(
    saved_model_path: str | os.PathLike[str], drop_collections: Iterable[str] | None = None
) -> ModuleSpec:
    """Makes a spec from a SavedModel that TF1 wrote.

    Its signatures, tags, variables and assets become those of the module. The global
    step and the init op are always dropped.

        >>> spec = hub.create_module_spec_from_saved_model("modules/saved_model")
        >>> spec.get_tags(), spec.get_signature_names({"serve"})
        ([frozenset({'serve'})], ['serving_default'])
        >>> spec.export("modules/from_saved_model",
        ...             checkpoint_path="modules/saved_model/variables/variables")

    Args:
        saved_model_path: The path of the SavedModel's directory, or a handle.
        drop_collections: Names of graph collections to drop.

    Returns:
        The spec, from which hub.Module() makes a module.

    Raises:
        HandleNotFoundError: If nothing exists at the path.
        ModuleDefinitionError: If the SavedModel has collections that a module cannot carry.
        ModuleFormatError: If the directory is not a SavedModel, if TF2 wrote it, or if it is a
            module in a format that this version cannot read.
        ModuleRefusedError: If HUBMODULE_AUDIT is "refuse", and the audit has findings.
    """
    path = find_directory(saved_model_path).path
    dropped = _ALWAYS_DROPPED | set(drop_collections or ())
    variants = [_make_variant(meta_graph, dropped, path) for meta_graph in saved_model.read(path)]
    prefix = saved_model.get_checkpoint_prefix(path)
    return ModuleSpec(variants, prefix, path, allowed_by=settings.read_audit_policy())


def _make_variant(meta_graph: MetaGraphDef, dropped: Iterable[str], path: str) -> Variant:
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
        portability.prepare_for_older_tensorflow(meta_graph),
        path,
    )

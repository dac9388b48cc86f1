"""hub.inspect: gathers the facts of a module from its files."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from hubmodule import _tf, files, module_def_pb2
from hubmodule.auditing import findings, texts
from hubmodule.auditing.risks import Level
from hubmodule.inspection import (
    asset_facts,
    checkpoint_files,
    conformance,
    usage,
    variable_facts,
    variant_facts,
)
from hubmodule.inspection.facts import (
    CALL_METHOD,
    Conformance,
    FindingFacts,
    ForeignOp,
    ModuleFacts,
    ModuleFormat,
    Sizes,
    VariantFacts,
)
from hubmodule.inspection.saved_model_file import (
    SavedModelFile,
    explain_unreadable_files,
    get_saved_model_format,
    read_saved_model,
)
from hubmodule.inspection.variant_facts import VariantContent
from hubmodule.resolver.resolvers import resolve
from hubmodule.surgery.registration import find_package
from hubmodule.urls import redact

_MODULE_FILE = "tfhub_module.pb"


def inspect(handle: str | os.PathLike[str]) -> ModuleFacts:
    """Reads the facts of a module from its files; runs nothing and imports no graph.

        >>> facts = hub.inspect("modules/text")
        >>> facts
        <hub.inspect('modules/text'): TF1 Hub format, 2 graph variants, 1 variable>
        >>> [(variable.name, variable.dtype, variable.shape) for variable in facts.variables]
        [('embeddings', 'float32', (10, 4))]
        >>> facts.to_dict()["sizes"]["assets"]  # in bytes
        0

    Args:
        handle: The handle of a module of the TF1 Hub format, a TF1 SavedModel or a TF2
            SavedModel, as for hub.resolve().

    Returns:
        The facts. For a damaged module, they are those that can be read, and `damage` lists
        what cannot be read.

    Raises:
        NotAModuleError: If there is no saved_model.pb.
        ModuleFormatError: If the file system refuses to read a file.

    Further exceptions are those of hub.resolve().
    """
    return collect_facts(redact(os.fsdecode(handle)), resolve(handle))


def collect_facts(handle: str, directory: str) -> ModuleFacts:
    """Gathers the facts of the module in a directory.

    Args:
        handle: The handle to name in the facts.
        directory: The directory that the handle resolves to.

    Raises:
        NotAModuleError: If there is no saved_model.pb.
        ModuleFormatError: If the file system refuses to read a file.
    """
    with explain_unreadable_files(directory):
        return _collect_facts(handle, directory)


def _collect_facts(handle: str, directory: str) -> ModuleFacts:
    file = read_saved_model(directory)
    damage = list(file.damage)
    if not file.saved_model.meta_graphs:
        damage.append("The SavedModel has no graph variants.")
    module_format = _find_format(directory, file, damage)
    checkpoint = checkpoint_files.read_checkpoint(directory)
    damage += checkpoint.damage
    contents = [
        variant_facts.read_variant(meta_graph, checkpoint, damage)
        for meta_graph in file.saved_model.meta_graphs
    ]
    risks = _find_risks(file.saved_model, contents, directory, module_format, damage)
    contents.sort(key=lambda content: content.facts.tags)
    variants = tuple(content.facts for content in contents)
    asset_names = {name for content in contents for name in content.asset_names}
    assets = asset_facts.read_assets(directory, asset_names, damage)
    variables = variable_facts.merge_variants(content.variables for content in contents)
    every_call = tuple(call for content in contents for call in content.calls)
    calls = tuple(call for call in every_call if call.method == CALL_METHOD)
    foreign_ops = _find_foreign_ops(variants)
    common = _check_common_signatures(variants)
    return ModuleFacts(
        handle=handle,
        path=directory,
        format=module_format,
        sizes=Sizes(file.bytes, checkpoint.bytes, sum(asset.bytes for asset in assets)),
        variants=variants,
        variables=variable_facts.make_facts(
            variables,
            checkpoint.index,
            # Besides variables, the checkpoint of TF2 has e.g. the slots of optimizers.
            only_named=module_format is ModuleFormat.TF2_SAVED_MODEL,
            damage=damage,
        ),
        assets=assets,
        foreign_ops=foreign_ops,
        findings=risks,
        calls=calls,
        methods=tuple(call for call in every_call if call.method != CALL_METHOD),
        common_signatures=common,
        usage=usage.write_usage(handle, module_format, variants, calls, common, foreign_ops),
        damage=tuple(dict.fromkeys(damage)),
    )


def _find_format(directory: str, file: SavedModelFile, damage: list[str]) -> ModuleFormat:
    path = posixpath.join(directory, _MODULE_FILE)
    if tf.io.gfile.exists(path):
        _check_module_file(path, damage)
        return ModuleFormat.TF1_HUB
    return get_saved_model_format(file.saved_model)


def _check_module_file(path: str, damage: list[str]) -> None:
    try:
        module_def = module_def_pb2.ModuleDef.FromString(files.read_bytes(path))
    except DecodeError:
        damage.append(f"{_MODULE_FILE} cannot be read.")
        return
    if module_def.format != module_def_pb2.ModuleDef.FORMAT_V3:
        damage.append(f"{_MODULE_FILE} states format {module_def.format}, which is not known.")
    if module_def.required_features:
        features = sorted(module_def.required_features)
        damage.append(f"{_MODULE_FILE} requires features {features}, which are not known.")


def _find_risks(
    saved_model: SavedModel,
    contents: Sequence[VariantContent],
    directory: str,
    module_format: ModuleFormat,
    damage: list[str],
) -> tuple[FindingFacts, ...]:
    """Audits the module.

    Args:
        saved_model: The SavedModel.
        contents: The content of each of its graph variants, in their order.
        directory: The directory of the module.
        module_format: The format of the module.
        damage: A list to which the function appends a sentence for what cannot be read.
    """
    is_module = module_format is ModuleFormat.TF1_HUB
    ops = [content.ops for content in contents]
    audit = findings.audit(saved_model, directory, is_module, ops)
    damage += audit.damage
    return tuple(
        FindingFacts(finding.level.label, finding.op, finding.node, texts.explain(finding))
        for finding in audit.findings
        if finding.level >= Level.MEDIUM
    )


def _find_foreign_ops(variants: Sequence[VariantFacts]) -> tuple[ForeignOp, ...]:
    ops = sorted({op for variant in variants for op in variant.op_counts})
    packages = {op: find_package(op) for op in ops}
    return tuple(
        ForeignOp(op, package)
        for op, package in packages.items()
        if package or _tf.find_op_def(op) is None
    )


def _check_common_signatures(variants: Sequence[VariantFacts]) -> tuple[Conformance, ...]:
    default = next((variant for variant in variants if not variant.tags), None)
    if default is None:
        return ()
    return conformance.check_common_signatures(default.signatures, default.messages)

"""Findings: the ops of a SavedModel that do more than compute, and what they do it with."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule import _tf
from hubmodule.auditing.graphs import Body, Program
from hubmodule.auditing.harmless_ops import HARMLESS_OPS, find_suspicious_names
from hubmodule.auditing.inputs import Inputs
from hubmodule.auditing.module_files import ModuleFiles
from hubmodule.auditing.names import Name, Source
from hubmodule.auditing.ops import (
    CHECKPOINT_OPS,
    LOG_STREAMS,
    PRINTS_TO_FILE,
    READERS,
    RISKY_OPS,
    RiskyOp,
)
from hubmodule.auditing.origins import Origins
from hubmodule.auditing.reach import Reach
from hubmodule.auditing.risks import Level, Risk
from hubmodule.auditing.roots import (
    INITIALISER,
    SAVER,
    TABLE_INITIALISER,
    VARIABLE_INITIALISER,
    find_roots,
)
from hubmodule.auditing.tracing import Tracer
from hubmodule.surgery.registration import find_package

_FILES = (Risk.READS_FILES, Risk.WRITES_FILES)
_INTO_MODULE = "points into the module, but only where the module is now"
_LEFT_OVER = "nothing in the module runs it: it is left over from a saver"
_NOT_RUN = "loading the module does not run it: its checkpoint has the values"
_UNREACHED = "nothing in the module runs it"


@dataclass(frozen=True)
class Finding:
    """An op that does more than compute.

    Attributes:
        op: The op type.
        risk: What it can do.
        level: How much that matters.
        tags: The tags of the graph variant.
        function: The function whose body has the node; "" if the graph itself has it.
        node: The name of the node.
        reached_from: What runs the node, as phrases; nothing does if it is empty.
        names: The names of files, addresses or callbacks that it uses, without harmless ones.
        reason: What the op does, as a sentence.
        note: What else there is to know of this node; "" if there is nothing.
        package: The package that registers the op, if it is unregistered and that is known.
    """

    op: str
    risk: Risk
    level: Level
    tags: tuple[str, ...]
    function: str
    node: str
    reached_from: tuple[str, ...]
    names: tuple[Name, ...]
    reason: str
    note: str = ""
    package: str = ""


@dataclass(frozen=True)
class Audit:
    """What was found in a SavedModel.

    Attributes:
        findings: The findings, the worst first.
        damage: What could not be read, as sentences.
        nodes: The number of nodes that were looked at.
        functions: The number of functions that were looked at.
    """

    findings: tuple[Finding, ...]
    damage: tuple[str, ...]
    nodes: int
    functions: int


def audit(saved_model: saved_model_pb2.SavedModel, directory: str, is_module: bool) -> Audit:
    """Looks at every node of every graph and function of a SavedModel. Runs nothing.

    Args:
        saved_model: The message as it is on disk, where a module's paths of assets are blank.
        directory: The directory that it is in.
        is_module: Whether it is a TF1 Hub module.
    """
    variants = [
        _VariantAudit(meta_graph, directory, is_module) for meta_graph in saved_model.meta_graphs
    ]
    findings = [finding for variant in variants for finding in variant.findings()]
    findings.sort(key=lambda finding: -finding.level)
    return Audit(
        tuple(findings),
        tuple(dict.fromkeys(text for variant in variants for text in variant.damage)),
        sum(len(body.nodes) for variant in variants for body in variant.program.bodies),
        sum(len(variant.program.functions) for variant in variants),
    )


class _VariantAudit:
    """Looks at a graph variant."""

    def __init__(self, meta_graph: MetaGraphDef, directory: str, is_module: bool):
        self.program = Program(meta_graph)
        self._files = ModuleFiles(directory)
        self._inputs = Inputs(meta_graph, self.program.graph, directory, self._files)
        self.damage = self._inputs.damage
        self._tags = tuple(sorted(meta_graph.meta_info_def.tags))
        self._meta_graph = meta_graph
        self._is_module = is_module
        self._tracer = functools.cache(self._make_tracer)

    def findings(self) -> Iterator[Finding]:
        """Yields the findings in the order of the file."""
        rows: dict[str, RiskyOp | None] = {}
        for body in self.program.bodies:
            for node in body.nodes:
                if node.op not in rows:
                    rows[node.op] = self._find_row(node.op)
                row = rows[node.op]
                if row is not None:
                    yield from self._judge(body, node, row)

    def _find_row(self, op: str) -> RiskyOp | None:
        """What is to be known of an op; None if it does nothing but compute."""
        if op in RISKY_OPS:  # also if a function has its name
            return RISKY_OPS[op]
        if op in self.program.functions:
            return None
        op_def = _tf.op_def(op)
        if op_def is None:
            reason = f"This TensorFlow does not know what the op does. {_advise(find_package(op))}"
            return RiskyOp(op, Risk.UNREGISTERED, Level.MEDIUM, reason)
        if op in HARMLESS_OPS:
            return None
        suspicious = tuple(find_suspicious_names(op_def))
        if not suspicious:
            return None
        reason = (
            f"This audit does not know the op, whose {' and '.join(suspicious)} may name a file, "
            "an address or a callback."
        )
        return RiskyOp(op, Risk.UNKNOWN, Level.MEDIUM, reason, suspicious, ("",))

    def _judge(self, body: Body, node: node_def_pb2.NodeDef, row: RiskyOp) -> Iterator[Finding]:
        """Yields the finding that a node of a risky op is, unless its names are harmless."""
        if row.op == PRINTS_TO_FILE.op and _prints_to_file(node):
            row = PRINTS_TO_FILE
        reached = self._reach.find_labels(body, node.name)
        finding = Finding(
            row.op,
            row.risk,
            row.level,
            self._tags,
            body.function,
            node.name,
            reached,
            (),
            row.reason,
            package=(find_package(row.op) or "") if row.risk is Risk.UNREGISTERED else "",
        )
        if row.op in READERS or row.names:
            names = self._find_names(body, node, row, reached)
            foreign = [name for name in names if not _is_harmless(name, row)]
            if not foreign:
                return
            finding = self._add_names(finding, foreign)
        yield _rate_reach(finding)

    def _find_names(
        self, body: Body, node: node_def_pb2.NodeDef, row: RiskyOp, reached: Sequence[str]
    ) -> list[Name]:
        # Only where the saver runs a node does the loader feed the path of the checkpoint.
        tracer = self._tracer(
            with_checkpoint=set(reached) == {SAVER},
            # The loaders of SavedModels feed constants that are assets to initialisers only.
            with_assets=self._is_module or set(reached) <= {INITIALISER, TABLE_INITIALISER},
        )
        if row.op in READERS:
            return tracer.find_names_of_reader(body, node)
        found = [name for key in row.names for name in tracer.find_names(body, node, key)]
        if not found and not row.harmless:
            return [Name(Source.COMPUTED, "by an input that the node lacks")]
        return list(dict.fromkeys(found))

    def _add_names(self, finding: Finding, names: Sequence[Name]) -> Finding:
        """A finding with the names that its node uses, at the level that these make it."""
        notes = [note for name in names if (note := self._explain_name(name))]
        finding = replace(finding, names=tuple(names), note="; ".join(dict.fromkeys(notes)))
        if finding.risk not in _FILES:
            return finding
        return replace(finding, level=max(self._rate(finding, name) for name in names))

    def _rate(self, finding: Finding, name: Name) -> Level:
        """The level of an op that uses a file of a name."""
        if name.source in (Source.COMPUTED, Source.FED):
            return min(Level.MEDIUM, finding.level)
        if finding.risk is Risk.READS_FILES and self._is_in_module(name):
            return Level.LOW
        return finding.level

    def _explain_name(self, name: Name) -> str:
        if name.source is not Source.CONSTANT:
            return ""
        if name.value in self._inputs.links:
            return f"'{self._inputs.links[name.value]}' is a link to '{name.value}'"
        if self._is_in_module(name):
            return f"'{name.value}' {_INTO_MODULE}"
        scheme, separator, _ = name.value.partition("://")
        if separator and scheme != "file":
            return f"'{name.value}' is on the network or another file system ({scheme})"
        if ".." in name.value.replace("\\", "/").split("/"):
            return f"'{name.value}' leaves its directory by '..'"
        return ""

    def _is_in_module(self, name: Name) -> bool:
        """Whether a name is the path of a file of the module, where the module is now."""
        return name.source is Source.CONSTANT and self._files.contain(name.value)

    @functools.cached_property
    def _reach(self) -> Reach:
        return Reach(self.program, find_roots(self._meta_graph))

    def _make_tracer(self, with_checkpoint: bool, with_assets: bool) -> Tracer:
        inputs = self._inputs.select(with_checkpoint, with_assets)
        return Tracer(self.program, Origins(self.program, inputs))


def _is_harmless(name: Name, row: RiskyOp) -> bool:
    if name.source is Source.ASSET:
        return row.risk in (Risk.READS_FILES, Risk.UNKNOWN)
    if name.source is Source.CHECKPOINT:
        return row.op in CHECKPOINT_OPS
    if name.source is not Source.CONSTANT:
        return False
    if not name.value and row.risk in _FILES:
        return True
    return any(
        name.value.startswith(value[:-1]) if value.endswith("*") else name.value == value
        for value in row.harmless
    )


def _rate_reach(finding: Finding) -> Finding:
    """A finding at the level that what runs its node makes it."""
    by_variables = all(label.startswith(VARIABLE_INITIALISER) for label in finding.reached_from)
    if not finding.reached_from:
        is_saver = finding.op in CHECKPOINT_OPS
        note, highest = (_LEFT_OVER, Level.LOW) if is_saver else (_UNREACHED, Level.MEDIUM)
    elif finding.op in ("RestoreV2", "Restore", "RestoreSlice") and by_variables:
        note, highest = _NOT_RUN, Level.LOW
    else:
        return finding
    notes = "; ".join(filter(None, (finding.note, note)))
    return replace(finding, level=min(finding.level, highest), note=notes)


def _prints_to_file(node: node_def_pb2.NodeDef) -> bool:
    # A parameter of the function, in place of a text, may be any.
    return (
        "output_stream" in node.attr
        and node.attr["output_stream"].s.decode(errors="replace") not in LOG_STREAMS
    )


def _advise(package: str | None) -> str:
    return f"It is in the package {package}." if package else "It is in a package of its own."

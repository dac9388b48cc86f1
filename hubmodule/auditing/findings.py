"""Finds the nodes of a SavedModel whose ops do more than compute, and the names that they use."""

from __future__ import annotations

import functools
import itertools
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
)
from hubmodule.auditing.origins import Origins
from hubmodule.auditing.reach import Reach
from hubmodule.auditing.risks import Level, Risk
from hubmodule.auditing.risky_op import RiskyOp, allow_empty
from hubmodule.auditing.roots import (
    INITIALISER,
    RESTORER,
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
_NO_NAME = allow_empty("it usually is the default, which names nothing")
_ODD_CONSTANT = (
    Risk.UNKNOWN,
    Level.MEDIUM,
    "An object takes this op as a constant: loaders read its attribute 'value', which is not what "
    "the op computes. No TensorFlow writes such a module.",
)


@dataclass(frozen=True)
class Finding:
    """A node whose op does more than compute.

    Attributes:
        op: The op type, e.g. "ReadFile".
        risk: The class of the risk.
        level: How much the finding matters.
        tags: The tags of the graph variant, sorted.
        function: The name of the function whose body has the node; "" if the graph has it.
        node: The name of the node.
        reached_from: Phrases that say what runs the node; empty if nothing runs it.
        names: The names of files, addresses or callbacks that the node uses, without harmless
            names.
        reason: A sentence that says what the op does.
        note: Phrases that say more about this node and its names; "" if there is nothing to add.
        package: The package that registers the op, if the op is not registered; "" if the op is
            registered or the package is not known.
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
    """The result of an audit of a SavedModel.

    Attributes:
        findings: The findings, the worst first.
        damage: What could not be read, a sentence each.
        nodes: The number of nodes in all graph variants and their functions.
        functions: The number of functions in all graph variants.
    """

    findings: tuple[Finding, ...]
    damage: tuple[str, ...]
    nodes: int
    functions: int


def audit(
    saved_model: saved_model_pb2.SavedModel,
    directory: str,
    is_module: bool,
    ops: Sequence[frozenset[str] | None] = (),
) -> Audit:
    """Checks every node of every graph and function of a SavedModel, without running any.

    Args:
        saved_model: The SavedModel as stored on disk, where a module's asset paths are blank.
        directory: The directory of the SavedModel.
        is_module: Whether the SavedModel is a TF1 Hub module.
        ops: The op types of each graph variant and its functions, if they are known; the audit
            then does not search graphs without risky ops.
    """
    variants = [
        _VariantAudit(meta_graph, directory, is_module, known)
        for meta_graph, known in itertools.zip_longest(saved_model.meta_graphs, ops)
    ]
    findings = [finding for variant in variants for finding in variant.find_findings()]
    findings.sort(key=lambda finding: -finding.level)
    return Audit(
        tuple(findings),
        tuple(dict.fromkeys(text for variant in variants for text in variant.damage)),
        sum(body.size for variant in variants for body in variant.program.bodies),
        sum(len(variant.program.functions) for variant in variants),
    )


class _VariantAudit:
    """Finds the findings of a graph variant."""

    def __init__(
        self,
        meta_graph: MetaGraphDef,
        directory: str,
        is_module: bool,
        ops: frozenset[str] | None,
    ):
        self._ops = ops
        self._find_row = functools.cache(self._find_risky_op)
        self.program = Program(meta_graph)
        self._files = ModuleFiles(directory)
        graph = self.program.graph
        self._inputs = Inputs(meta_graph, graph, directory, self._files, is_module)
        self.damage = self._inputs.damage
        if len(self.program.functions) < len(meta_graph.graph_def.library.function):
            self.damage.append("Several functions have the same name.")
        self._tags = tuple(sorted(meta_graph.meta_info_def.tags))
        self._meta_graph = meta_graph
        self._is_module = is_module
        self._tracer = functools.cache(self._make_tracer)

    def find_findings(self) -> Iterator[Finding]:
        """Yields the findings in the order of the nodes in the file."""
        if self._ops is None or any(map(self._find_row, self._ops)):
            for body in self.program.bodies:
                yield from self._judge_body(body)
        for node in self._inputs.odd_constants.values():
            yield self._make_finding(self.program.graph, node, RiskyOp(node.op, *_ODD_CONSTANT))

    def _judge_body(self, body: Body) -> Iterator[Finding]:
        """Yields the findings in a graph or function."""
        ops = body.list_ops()
        if not any(map(self._find_row, {*ops})):  # as in most bodies
            return
        if len(body.by_name) < body.size:
            self.damage.append(f"Several nodes of {body.title} have the same name.")
        for node, op in zip(body.nodes, ops, strict=True):
            row = self._find_row(op)
            if row is not None:
                yield from self._judge(body, node, row)

    def _find_risky_op(self, op: str) -> RiskyOp | None:
        """Returns the row of a risky op; None if the op only computes."""
        if op in RISKY_OPS:  # also if a function has its name
            return RISKY_OPS[op]
        if op in self.program.functions:
            return None
        op_def = _tf.find_op_def(op)
        if op_def is None:
            package = _describe_package(find_package(op))
            reason = f"This TensorFlow does not know what the op does. {package}"
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
        return RiskyOp(op, Risk.UNKNOWN, Level.MEDIUM, reason, suspicious, _NO_NAME)

    def _judge(self, body: Body, node: node_def_pb2.NodeDef, row: RiskyOp) -> Iterator[Finding]:
        """Yields a finding for a node of a risky op, unless all of its names are harmless."""
        if row.op == PRINTS_TO_FILE.op and _prints_to_file(node):
            row = PRINTS_TO_FILE
        finding = self._make_finding(body, node, row)
        if row.op in READERS or row.names:
            names = self._find_names(body, node, row, finding.reached_from)
            if not names:
                return
            finding = self._add_names(finding, names)
        yield _limit_level(finding)

    def _make_finding(self, body: Body, node: node_def_pb2.NodeDef, row: RiskyOp) -> Finding:
        """Makes a finding for a node without the names that it uses."""
        return Finding(
            row.op,
            row.risk,
            row.level,
            self._tags,
            body.function,
            node.name,
            self._reach.describe_users(body, node.name),
            (),
            row.reason,
            package=(find_package(row.op) or "") if row.risk is Risk.UNREGISTERED else "",
        )

    def _find_names(
        self, body: Body, node: node_def_pb2.NodeDef, row: RiskyOp, reached: Sequence[str]
    ) -> list[Name]:
        """Finds the names that a node of a risky op uses, without harmless names."""
        # Only where the saver runs a node does the loader feed the path of the checkpoint.
        tracer = self._tracer(
            with_checkpoint=bool(reached) and set(reached) <= {SAVER, RESTORER},
            # The loaders of SavedModels feed constants that are assets to initialisers only.
            with_assets=self._is_module or set(reached) <= {INITIALISER, TABLE_INITIALISER},
        )
        foreign = []
        for key in row.names or ("",):
            if row.op in READERS:
                names = tracer.find_names_of_reader(body, node)
            else:
                names = tracer.find_names(body, node, key)
            if not names:
                names = [Name(Source.COMPUTED, "by an input that the node lacks")]
            foreign += [name for name in names if not _is_harmless(name, row, key, reached)]
        return list(dict.fromkeys(foreign))

    def _add_names(self, finding: Finding, names: Sequence[Name]) -> Finding:
        """Adds names to the finding of the node that uses them, with their notes and level."""
        notes = [note for name in names if (note := self._describe_name(name))]
        finding = replace(finding, names=tuple(names), note="; ".join(dict.fromkeys(notes)))
        if finding.risk not in _FILES:
            return finding
        return replace(finding, level=max(self._choose_level(finding, name) for name in names))

    def _choose_level(self, finding: Finding, name: Name) -> Level:
        """Chooses the level of a finding whose op uses the file of this name."""
        if name.source in (Source.COMPUTED, Source.FED):
            return min(Level.MEDIUM, finding.level)
        if finding.risk is Risk.READS_FILES and self._is_in_module(name):
            return Level.LOW
        return finding.level

    def _describe_name(self, name: Name) -> str:
        """Describes what is special about a path; "" if nothing is."""
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
        """Whether a name is a path to a file of the module at its current location."""
        return name.source is Source.CONSTANT and self._files.has_path(name.value)

    @functools.cached_property
    def _reach(self) -> Reach:
        return Reach(self.program, find_roots(self._meta_graph))

    def _make_tracer(self, with_checkpoint: bool, with_assets: bool) -> Tracer:
        inputs = self._inputs.select(with_checkpoint, with_assets)
        return Tracer(self.program, Origins(self.program, inputs))


def _is_harmless(name: Name, row: RiskyOp, key: str, reached: Sequence[str]) -> bool:
    """Whether an op may use a name, which is in its input or attribute `key`."""
    if name.source is Source.ASSET:
        return row.risk in (Risk.READS_FILES, Risk.UNKNOWN)
    if name.source is Source.CHECKPOINT:
        # The loader would write over the checkpoint of the module.
        is_read = row.risk is Risk.READS_FILES
        return row.op in CHECKPOINT_OPS and (is_read or RESTORER not in reached)
    if name.source is not Source.CONSTANT:
        return False
    # The export of a module that uses another one empties the path of the other's checkpoint.
    is_emptied = not name.value and _restores_initial_values(row.op, reached)
    return is_emptied or row.is_harmless(key, name.value)


def _restores_initial_values(op: str, reached: Sequence[str]) -> bool:
    """Whether a node only restores the initial values of variables."""
    by_variables = all(label.startswith(VARIABLE_INITIALISER) for label in reached)
    return op in ("RestoreV2", "Restore", "RestoreSlice") and bool(reached) and by_variables


def _limit_level(finding: Finding) -> Finding:
    """Lowers the level of a finding whose node is not run, or only where that is harmless."""
    if not finding.reached_from:
        # The savers of TF2 are functions, which objects and gradients may run in other ways.
        is_saver = finding.op in CHECKPOINT_OPS and not finding.function
        note, highest = (_LEFT_OVER, Level.LOW) if is_saver else (_UNREACHED, Level.MEDIUM)
    elif _restores_initial_values(finding.op, finding.reached_from):
        note, highest = _NOT_RUN, Level.LOW
    else:
        return finding
    notes = "; ".join(filter(None, (finding.note, note)))
    return replace(finding, level=min(finding.level, highest), note=notes)


def _prints_to_file(node: node_def_pb2.NodeDef) -> bool:
    # The attribute may also be a parameter of the function, whose value is not known here.
    return (
        "output_stream" in node.attr
        and node.attr["output_stream"].s.decode(errors="replace") not in LOG_STREAMS
    )


def _describe_package(package: str | None) -> str:
    return f"It is in the package {package}." if package else "It is in a package of its own."

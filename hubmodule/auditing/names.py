"""Where the names of files and addresses that ops use come from."""

from __future__ import annotations

import enum
import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tensorflow.core.framework import node_def_pb2
from tensorflow.core.framework.types_pb2 import DT_STRING

from hubmodule.auditing.graphs import (
    Body,
    Call,
    Program,
    Tensor,
    data_inputs,
    input_groups,
    input_lists,
    parse_tensor,
)
from hubmodule.auditing.ops import ENQUEUES, QUEUE_READS
from hubmodule.auditing.roots import checkpointed_variables

# A name that needs more steps, values or characters than these counts as computed: a hostile
# graph may take very many, and no other does.
_MOST_STEPS = 500
_MOST_VALUES = 50
_LONGEST_VALUE = 4096
_DEEPEST_JOIN = 8

_FIRST_INPUT = """
BroadcastTo Cast CheckNumerics DebugIdentity DebugIdentityV2 DebugIdentityV3 DynamicPartition
EnsureShape Enter Exit ExpandDims Gather GatherNd GatherV2 GuaranteeConst Identity NextIteration
PlaceholderWithDefault PreventGradient Print RandomShuffle RefEnter RefExit RefIdentity
RefNextIteration RefSwitch Reshape Reverse ReverseV2 Slice Snapshot SplitV Squeeze StopGradient
StridedSlice Switch Tile Transpose Unique UniqueV2 Unpack
"""
# Ops whose outputs hold values of some of their inputs, by the positions of these inputs.
_FIRST = slice(0, 1)
_ALL = slice(None)
_FORWARDING: dict[str, slice] = {
    **dict.fromkeys(
        _FIRST_INPUT.split(),
        _FIRST,
    ),
    **dict.fromkeys(["Concat", "Fill", "Select", "SelectV2", "Split"], slice(1, None)),
    **dict.fromkeys(["ConcatV2"], slice(0, -1)),
    **dict.fromkeys(["Merge", "Pack", "ParallelConcat", "RefMerge"], _ALL),
}
_PARTIAL_DATASETS = """
AssertCardinalityDataset AssertNextDataset AutoShardDataset BatchDataset BatchDatasetV2
CacheDataset CacheDatasetV2 FilterDataset MaxIntraOpParallelismDataset ModelDataset
OptimizeDataset OptimizeDatasetV2 OptionsDataset ParallelBatchDataset ParallelFilterDataset
PrefetchDataset PrivateThreadPoolDataset RebatchDataset RebatchDatasetV2 RepeatDataset
ShardDataset ShuffleAndRepeatDataset ShuffleAndRepeatDatasetV2 ShuffleDataset ShuffleDatasetV2
ShuffleDatasetV3 SkipDataset TakeDataset TakeWhileDataset UnbatchDataset UniqueDataset
"""
# Datasets whose elements are those of their first input, or a part of them.
_FORWARDING_DATASETS = frozenset(_PARTIAL_DATASETS.split())
_SOURCE_DATASETS = frozenset({"TensorDataset", "TensorSliceDataset"})
_MAPPING_DATASETS = frozenset({"MapDataset", "ParallelMapDataset", "ParallelMapDatasetV2"})
_FLATTENING_DATASETS = frozenset(
    {
        "FlatMapDataset",
        "InterleaveDataset",
        "ParallelInterleaveDataset",
        "ParallelInterleaveDatasetV2",
        "ParallelInterleaveDatasetV3",
        "ParallelInterleaveDatasetV4",
    }
)
_CAPTURES = ("other_arguments", "captured_inputs", "captured_tensors")
# What uses a variable without giving it a value from elsewhere.
_VARIABLE_OPS = frozenset({"AssignVariableOp", "ReadVariableOp", "VarIsInitializedOp"})
# Functions in these attributes decide; their results are no outputs of the node.
_CONDITIONS = frozenset({"cond", "predicate"})
_SHARD = "-?????-of-?????"


class Source(enum.Enum):
    """What kind of name an op uses. The value names it in JSON."""

    ASSET = "asset"
    CHECKPOINT = "checkpoint"
    CONSTANT = "constant"
    COMPUTED = "computed"
    FED = "fed"


@dataclass(frozen=True)
class Name:
    """A name that an op uses.

    Attributes:
        source: Its kind.
        value: The name of the asset, the constant, or what computes or feeds it.
    """

    source: Source
    value: str


_TOO_LONG = Name(Source.COMPUTED, "in more steps than this audit follows")


@dataclass(frozen=True)
class _Place:
    """A tensor of a body, or a component of the elements of the dataset that it is."""

    function: str
    tensor: Tensor
    component: int | None = None


class Names:
    """Finds the names that the ops of a program use.

    Args:
        program: The program.
        assets: The nodes of the graph that hold the paths of assets -> their names.
        feeds: The nodes of the graph that callers feed -> a phrase that says who.
        checkpoint: The node that the loader feeds the path of the checkpoint; "" if none.
        captures: The functions of objects -> what their last arguments are.
    """

    def __init__(
        self,
        program: Program,
        assets: Mapping[str, Name],
        feeds: Mapping[str, str],
        checkpoint: str,
        captures: Mapping[str, Sequence[Name | str]],
    ):
        self._program = program
        self._assets = assets
        self._feeds = feeds
        self._checkpoint = checkpoint
        self._captures = captures
        self._joining: set[tuple[str, str]] = set()
        self._joined = functools.cache(self._join)

    def of(self, body: Body, node: node_def_pb2.NodeDef, name: str) -> list[Name]:
        """The names that a node uses, under the name of one of its inputs or attributes."""
        if name in node.attr:
            value = node.attr[name]
            constants = [value.s] if value.WhichOneof("value") == "s" else list(value.list.s)
            return [_constant(constant) for constant in constants]
        groups = input_groups(node)
        # All inputs, where the op is unknown.
        references = groups.get(name, [] if groups else data_inputs(node))
        return self._trace([_Place(body.function, parse_tensor(r)) for r in references])

    def of_reader(self, body: Body, node: node_def_pb2.NodeDef) -> list[Name]:
        """The names of the files that a reader gets from queues."""
        places = [
            place
            for read in body.nodes
            if read.op in QUEUE_READS
            if self._resource(body, read, 0) == node.name
            for place in self._enqueued(body, self._resource(body, read, 1))
        ]
        return self._trace(places) or [Name(Source.COMPUTED, "by a queue")]

    def _resource(self, body: Body, node: node_def_pb2.NodeDef, position: int) -> str:
        """The name of the node that makes the resource that an input is."""
        for _ in range(_MOST_STEPS):
            references = data_inputs(node)
            if position >= len(references):
                return node.name
            name = parse_tensor(references[position]).node
            node, position = body.by_name.get(name, node_def_pb2.NodeDef(name=name)), 0
            if node.op != "Identity":
                break
        return node.name

    def _enqueued(self, body: Body, queue: str) -> Iterator[_Place]:
        for node in body.nodes:
            if node.op in ENQUEUES and self._resource(body, node, 0) == queue:
                for reference in data_inputs(node)[1:]:
                    yield _Place(body.function, parse_tensor(reference))

    def _trace(self, places: Iterable[_Place], depth: int = 0) -> list[Name]:
        """What tensors may hold: the leaves that their values come from."""
        pending = list(places)
        seen = set(pending)
        found: dict[Name, None] = {}
        for steps in itertools.count():
            if not pending or len(found) > _MOST_VALUES:
                break
            if steps > _MOST_STEPS:
                found[_TOO_LONG] = None
                break
            for item in self._origins(pending.pop(), depth):
                if isinstance(item, Name):
                    found[item] = None
                elif item not in seen:
                    seen.add(item)
                    pending.append(item)
        return list(found)

    def _origins(self, place: _Place, depth: int) -> Iterator[Name | _Place]:
        """What a tensor holds, or the tensors that it gets its values from."""
        function, tensor = place.function, place.tensor
        body = self._program.functions[function] if function else self._program.graph
        if function and tensor.node in body.arguments:
            yield from self._argument_origins(body, place)
            return
        node = body.by_name.get(tensor.node)
        if node is None:
            yield Name(Source.COMPUTED, f"by '{tensor.node}', which the graph lacks")
        elif place.component is not None:
            yield from self._element_origins(body, node, place)
        elif not function and node.name in self._assets:
            yield self._assets[node.name]
        elif not function and node.name == self._checkpoint:
            yield Name(Source.CHECKPOINT, "the checkpoint that the loader names")
        else:
            if not function and node.name in self._feeds:
                yield Name(Source.FED, self._feeds[node.name])
            yield from self._node_origins(body, node, tensor, depth)

    def _node_origins(
        self, body: Body, node: node_def_pb2.NodeDef, tensor: Tensor, depth: int
    ) -> Iterator[Name | _Place]:
        if node.op == "Const":
            yield from _constants(node)
        elif node.op == "Placeholder":
            if body.function or node.name not in self._feeds:
                yield Name(Source.FED, f"placeholder '{node.name}'")
        elif node.op in ("StringJoin", "ShardedFilename"):
            yield from self._joined(body.function, node.name, depth)
        elif node.op == "IdentityN":
            yield from self._places(body, data_inputs(node)[tensor.index : tensor.index + 1])
        elif node.op in _FORWARDING:
            yield from self._places(body, data_inputs(node)[_FORWARDING[node.op]])
        elif node.op == "ReadVariableOp" and not body.function:
            yield from self._variable_origins(node)
        elif node.op == "DatasetToSingleElement":
            yield from self._elements(body, data_inputs(node)[:1], tensor.index)
        else:
            yield from self._result_origins(body, node, tensor)

    def _variable_origins(self, read: node_def_pb2.NodeDef) -> Iterator[Name | _Place]:
        """The origins of the value of a variable of the graph.

        TF2 puts the path of an asset into a variable that nothing else changes.
        """
        variable = self._resource(self._program.graph, read, 0)
        users = self._users_of_variables.get(variable, [])
        assignments = [node for node in users if node.op == "AssignVariableOp"]
        for node in assignments:
            yield from self._places(self._program.graph, data_inputs(node)[1:2])
        if (
            not assignments
            or variable in self._restored_variables
            or any(node.op not in _VARIABLE_OPS for node in users)
        ):
            yield Name(Source.COMPUTED, f"by variable '{variable}'")

    @functools.cached_property
    def _users_of_variables(self) -> dict[str, list[node_def_pb2.NodeDef]]:
        """The variables of the graph -> the nodes that use them."""
        nodes = self._program.graph.nodes
        users: dict[str, list[node_def_pb2.NodeDef]] = {
            node.name: [] for node in nodes if node.op == "VarHandleOp"
        }
        for node in nodes:
            for name in {parse_tensor(reference).node for reference in node.input}:
                if name in users:
                    users[name].append(node)
        return users

    @functools.cached_property
    def _restored_variables(self) -> frozenset[str]:
        """The variables of the graph that have values in the checkpoint."""
        return frozenset(checkpointed_variables(self._program.meta_graph))

    def _result_origins(
        self, body: Body, node: node_def_pb2.NodeDef, tensor: Tensor
    ) -> Iterator[Name | _Place]:
        """The origins of an output of a node that may call functions."""
        called = self._program.called_by(node)
        if not called or node.op.endswith("Dataset") or node.op == "SymbolicGradient":
            yield Name(Source.COMPUTED, f"by {node.op} '{node.name}'")
            return
        loops = any(attribute in _CONDITIONS for attribute, _ in called)
        if loops:  # its inputs are the results, if the loop has no rounds
            yield from self._places(body, data_inputs(node)[tensor.index : tensor.index + 1])
        for attribute, function in called:
            if attribute not in _CONDITIONS:
                yield from self._returned(function, tensor)

    def _returned(self, function: str, tensor: Tensor) -> Iterator[Name | _Place]:
        returns = self._program.functions[function].returns
        reference = returns.get(tensor.output)
        if reference is None:
            references = list(returns.values())
            reference = references[tensor.index] if tensor.index < len(references) else None
        if reference is None:
            yield Name(Source.COMPUTED, f"by function '{function}'")
        else:
            yield _Place(function, parse_tensor(reference))

    def _argument_origins(self, body: Body, place: _Place) -> Iterator[Name | _Place]:
        """The origins of an argument of a function: what its callers and its object pass."""
        function, position = body.function, body.arguments[place.tensor.node]
        captures = self._captures.get(function)
        calls = self._program.calls[function]
        first = len(body.arguments) - len(captures or ())
        if captures and position >= first:
            capture = captures[position - first]
            yield capture if isinstance(capture, Name) else _Place("", parse_tensor(capture))
        elif captures is not None or not calls:
            yield Name(Source.FED, f"argument '{place.tensor.node}' of function '{function}'")
        for call in calls:
            for item in self._passed(call, position, len(body.arguments)):
                # An element of a dataset in the function is one of what the caller passes.
                yield (
                    _Place(item.function, item.tensor, place.component)
                    if isinstance(item, _Place) and item.component is None
                    else item
                )

    def _passed(self, call: Call, position: int, count: int) -> Iterator[Name | _Place]:
        """What a call passes to an argument of a function with a count of arguments."""
        body, node = call.body, call.node
        references = data_inputs(node)
        groups = input_groups(node)
        dataset = groups.get("input_dataset", [])
        captured = _captured(groups, call.attribute)
        if captured and position >= count - len(captured):
            yield from self._places(body, [captured[position - (count - len(captured))]])
        elif dataset and "initial_state" not in groups:
            yield from self._elements(body, dataset, position)
        elif len(references) == count:
            yield from self._places(body, [references[position]])
        else:
            group = next((g for g in input_lists(node) if len(g) == count), None)
            yield from self._places(body, references if group is None else [group[position]])
        for attribute, function in self._program.called_by(node):
            # What a round of a loop returns is passed to the next.
            if attribute == "body" and call.attribute in ("body", "cond"):
                yield from self._returned(function, Tensor("", "", position))

    def _element_origins(
        self, body: Body, node: node_def_pb2.NodeDef, place: _Place
    ) -> Iterator[Name | _Place]:
        """The origins of a component of the elements of a dataset."""
        references, component = data_inputs(node), place.component or 0
        called = self._program.called_by(node)
        if node.op in _SOURCE_DATASETS:
            yield from self._places(body, references[component : component + 1])
        elif node.op in _FORWARDING_DATASETS or node.op in ("Identity", "PlaceholderWithDefault"):
            yield from self._elements(body, references[:1], component)
        elif node.op == "ConcatenateDataset":
            yield from self._elements(body, references[:2], component)
        elif node.op in _MAPPING_DATASETS and called:
            for _, function in called:
                yield from self._returned(function, Tensor("", "", component))
        elif node.op in _FLATTENING_DATASETS and called:
            for _, function in called:
                for item in self._returned(function, Tensor("", "", 0)):
                    yield (
                        _Place(item.function, item.tensor, component)
                        if isinstance(item, _Place)
                        else item
                    )
        else:
            yield Name(Source.COMPUTED, f"by {node.op} '{node.name}'")

    def _places(self, body: Body, references: Iterable[str]) -> Iterator[_Place]:
        for reference in references:
            yield _Place(body.function, parse_tensor(reference))

    def _elements(self, body: Body, references: Iterable[str], component: int) -> Iterator[_Place]:
        for reference in references:
            yield _Place(body.function, parse_tensor(reference), component)

    def _join(self, function: str, name: str, depth: int) -> list[Name]:
        """The names that a node joins out of parts."""
        if depth >= _DEEPEST_JOIN or (function, name) in self._joining:
            return [_TOO_LONG]
        body = self._program.functions[function] if function else self._program.graph
        node = body.by_name[name]
        separator = node.attr["separator"].s if "separator" in node.attr else b""
        references = data_inputs(node)
        if node.op == "ShardedFilename":
            references = references[:1]
        self._joining.add((function, name))
        parts = [self._trace(self._places(body, [r]), depth + 1) for r in references[:_MOST_VALUES]]
        self._joining.remove((function, name))
        if node.op == "ShardedFilename":
            parts.append([Name(Source.CONSTANT, _SHARD)])
        combinations = itertools.islice(itertools.product(*parts), _MOST_VALUES)
        text = separator.decode(errors="backslashreplace")
        return list(dict.fromkeys(_joined(combination, text) for combination in combinations))


def _joined(parts: Sequence[Name], separator: str) -> Name:
    """The name that parts make."""
    if sum(len(part.value) for part in parts) > _LONGEST_VALUE:
        return _TOO_LONG
    first, rest = parts[:1], parts[1:]
    constant = all(part.source is Source.CONSTANT for part in rest)
    if constant and first and first[0].source is Source.CONSTANT:
        return Name(Source.CONSTANT, separator.join(part.value for part in parts))
    is_beside = constant and not any(".." in part.value for part in rest)
    if is_beside and first and first[0].source is Source.CHECKPOINT:
        return first[0]
    shown = [
        f"'{part.value}'" if part.source in (Source.CONSTANT, Source.ASSET) else part.value
        for part in parts
    ]
    return Name(Source.COMPUTED, f"from {' and '.join(shown)}")


def _constants(node: node_def_pb2.NodeDef) -> Iterator[Name]:
    tensor = node.attr["value"].tensor if "value" in node.attr else None
    if tensor is None or tensor.dtype != DT_STRING:
        yield Name(Source.COMPUTED, f"by Const '{node.name}', which is not a string")
        return
    for value in tensor.string_val[: _MOST_VALUES + 1] or [b""]:
        yield _constant(value)


def _constant(value: bytes) -> Name:
    return Name(Source.CONSTANT, value[:_LONGEST_VALUE].decode(errors="backslashreplace"))


def _captured(groups: Mapping[str, list[str]], attribute: str) -> list[str]:
    """The inputs that a node passes to the last arguments of the function in an attribute."""
    for name, references in groups.items():
        if name in _CAPTURES or (attribute and name.startswith(f"{attribute}_other_arg")):
            return references
    return []

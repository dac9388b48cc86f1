"""Finds where the values of tensors come from, one step back."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tensorflow.core.framework import node_def_pb2

from hubmodule.auditing.graphs import NESTED, Body, Call, Program, Tensor, parse_tensor
from hubmodule.auditing.inputs import Inputs
from hubmodule.auditing.names import Name, Source, read_attribute, read_constant
from hubmodule.auditing.ops import ENQUEUES, QUEUE_READS
from hubmodule.auditing.resources import ResourceIndex, name_resource
from hubmodule.auditing.roots import list_checkpointed_variables

_FIRST_INPUT = """
BroadcastTo Cast CheckNumerics DebugIdentity DebugIdentityV2 DebugIdentityV3 DynamicPartition
EnsureShape Enter Exit ExpandDims Gather GatherNd GatherV2 GuaranteeConst Identity NextIteration
PlaceholderWithDefault PreventGradient Print RandomShuffle RefEnter RefExit RefIdentity
RefNextIteration RefSwitch Reshape Reverse ReverseV2 Slice Snapshot SplitV Squeeze StopGradient
StridedSlice Switch Tile Transpose Unique UniqueV2 Unpack
"""
# Ops whose outputs hold values of some of their inputs, with the positions of these inputs.
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
CacheDataset FilterDataset MaxIntraOpParallelismDataset ModelDataset
OptimizeDataset OptimizeDatasetV2 OptionsDataset ParallelBatchDataset ParallelFilterDataset
PrefetchDataset PrivateThreadPoolDataset RebatchDataset RebatchDatasetV2 RepeatDataset
ShardDataset ShuffleAndRepeatDataset ShuffleAndRepeatDatasetV2 ShuffleDataset ShuffleDatasetV2
ShuffleDatasetV3 SkipDataset TakeDataset TakeWhileDataset UnbatchDataset UniqueDataset
"""
# Datasets whose elements are the elements of their first input, or some of them. Not
# CacheDatasetV2: several datasets may share its cache, and have the elements of each other.
_FORWARDING_DATASETS = frozenset(_PARTIAL_DATASETS.split())
_SOURCE_DATASETS = frozenset({"TensorDataset", "TensorSliceDataset"})
_MAPPING_DATASETS = frozenset(
    {"ExperimentalMapDataset", "MapDataset", "ParallelMapDataset", "ParallelMapDatasetV2"}
)
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
# Ops that call a function with the elements of a dataset and with captured tensors.
_ELEMENT_CALLS = frozenset(
    {
        *_MAPPING_DATASETS,
        *_FLATTENING_DATASETS,
        "FilterDataset",
        "MapAndBatchDataset",
        "ParallelFilterDataset",
        "TakeWhileDataset",
    }
)
# Ops that call functions with some inputs, and whose outputs are the results of the functions.
_ARGUMENTS = {
    **dict.fromkeys(["PartitionedCall", "StatefulPartitionedCall", "RemoteCall"], ("args",)),
    **dict.fromkeys(["If", "StatelessIf", "Case", "StatelessCase"], ("input",)),
    **dict.fromkeys(["While", "StatelessWhile"], ("input",)),
    "BatchFunction": ("in_tensors", "captured_tensors"),
}
# The function in this attribute is a condition; its results are not outputs of the node.
_CONDITIONS = frozenset({"cond"})
_SHARD = Name(Source.CONSTANT, "-?????-of-?????")


class Place(NamedTuple):
    """A tensor whose values are traced, or a component of the elements of a dataset.

    Attributes:
        function: The name of the function whose body has the tensor; "" if the graph has it.
        tensor: The tensor.
        component: If the tensor is a dataset whose elements are traced, the index of the component
            of an element; otherwise None.
    """

    function: str
    tensor: Tensor
    component: int | None = None


class Join(NamedTuple):
    """A string that an op joins from parts.

    Attributes:
        parts: The parts; each may have several values.
        separator: The text between two parts.
    """

    parts: tuple[Place | Name, ...]
    separator: str


class Origins:
    """Finds the tensors that a tensor gets its values from, or the values if it holds its own.

    Args:
        program: The program of a graph variant.
        inputs: What the graph variant gets from outside.
    """

    def __init__(self, program: Program, inputs: Inputs):
        self._program = program
        self._assets = inputs.assets
        self._feeds = inputs.feeds
        self._checkpoint = inputs.checkpoint
        self._captures = inputs.captures

    def find_reader_origins(
        self, body: Body, reader: node_def_pb2.NodeDef
    ) -> Iterator[Name | Place]:
        """Finds the origins of the file names that a reader gets from queues."""
        resources = self._resources
        resource = name_resource(reader)
        users = resources.list_users(body, resource)
        queues = {
            resources.find_resource(body, read, 1) for read in users if read.op in QUEUE_READS
        }
        enqueues = [
            user
            for queue in queues
            for user in resources.list_users(body, queue)
            if user.op in ENQUEUES
        ]
        for enqueue in enqueues:
            yield from self._make_places(body, body.list_data_inputs(enqueue)[1:])
        if not enqueues or any(resources.has_hidden_users(body, r) for r in (resource, *queues)):
            yield Name(Source.COMPUTED, "by a queue")

    def find_origins(self, place: Place) -> Iterator[Name | Place | Join]:
        """Finds the values that a tensor holds, or the tensors that it gets its values from."""
        function, tensor = place.function, place.tensor
        body = self._program.functions[function] if function else self._program.graph
        if function and tensor.node in body.arguments:
            yield from self._follow_argument(body, place)
            return
        node = body.by_name.get(tensor.node)
        if node is None:
            yield Name(Source.COMPUTED, f"by '{tensor.node}', which the graph lacks")
        elif place.component is not None:
            yield from self._follow_element(body, node, place)
        elif not function and node.name in self._assets:
            yield self._assets[node.name]
        elif not function and node.name == self._checkpoint:
            yield Name(Source.CHECKPOINT, "the checkpoint that the loader names")
        else:
            if not function and node.name in self._feeds:
                yield Name(Source.FED, self._feeds[node.name])
            yield from self._follow_node(body, node, tensor)

    def _follow_node(
        self, body: Body, node: node_def_pb2.NodeDef, tensor: Tensor
    ) -> Iterator[Name | Place | Join]:
        """Finds the origins of an output of a node."""
        if node.op == "Const":
            yield from read_constant(node)
        elif node.op == "Placeholder":
            if body.function or node.name not in self._feeds:
                yield Name(Source.FED, f"placeholder '{node.name}'")
        elif node.op == "StringJoin":
            yield from self._follow_join(body, node)
        elif node.op == "ShardedFilename":
            yield Join((*self._make_places(body, body.list_data_inputs(node)[:1]), _SHARD), "")
        elif node.op == "IdentityN":
            yield from self._make_places(body, body.list_data_inputs(node), tensor.position)
        elif node.op in _FORWARDING:
            yield from self._make_places(body, body.list_data_inputs(node)[_FORWARDING[node.op]])
        elif node.op == "ReadVariableOp" and not body.function:
            yield from self._follow_variable(node)
        elif node.op == "DatasetToSingleElement":
            yield from self._make_element_places(
                body, body.list_data_inputs(node)[:1], tensor.position
            )
        else:
            yield from self._follow_result(body, node, tensor)

    def _follow_join(self, body: Body, node: node_def_pb2.NodeDef) -> Iterator[Name | Join]:
        separator = read_attribute(node.attr["separator"]) if "separator" in node.attr else []
        if any(name.source is not Source.CONSTANT for name in separator):
            yield from separator
            return
        parts = tuple(self._make_places(body, body.list_data_inputs(node)))
        yield Join(parts, separator[0].value if separator else "")

    def _follow_variable(self, read: node_def_pb2.NodeDef) -> Iterator[Name | Place]:
        """Finds the origins of the value of a variable of the graph.

        TF2 puts the path of an asset into a variable that nothing else changes.
        """
        graph = self._program.graph
        variable = self._resources.find_resource(graph, read, 0)
        users = self._resources.list_users(graph, variable)
        assignments = [node for node in users if node.op == "AssignVariableOp"]
        for node in assignments:
            yield from self._make_places(graph, graph.list_data_inputs(node)[1:2])
        if (
            not assignments
            or self._resources.has_hidden_users(graph, variable)
            or variable in self._restored_variables
        ):
            yield Name(Source.COMPUTED, f"by variable '{variable}'")

    @functools.cached_property
    def _resources(self) -> ResourceIndex:
        return ResourceIndex(self._program)

    @functools.cached_property
    def _restored_variables(self) -> frozenset[str]:
        """The variables of the graph whose values are in the checkpoint."""
        graph = self._program.graph
        names = list_checkpointed_variables(self._program.meta_graph)
        return frozenset(self._resources.follow_handle(graph, name) for name in names)

    def _follow_result(
        self, body: Body, node: node_def_pb2.NodeDef, tensor: Tensor
    ) -> Iterator[Name | Place]:
        """Finds the origins of an output of a node that may call functions."""
        called = [(a, f) for a, f in self._program.find_called_functions(node) if a != NESTED]
        if not called or (called[0][0] and node.op not in _ARGUMENTS):
            yield Name(Source.COMPUTED, f"by {node.op} '{node.name}'")
            return
        if any(value.WhichOneof("value") == "placeholder" for value in node.attr.values()):
            # The attribute may hold a function that the caller of this function chooses.
            yield Name(Source.COMPUTED, f"by {node.op} '{node.name}'")
        if any(attribute in _CONDITIONS for attribute, _ in called):
            # A loop that runs zero times returns its initial values.
            yield from self._make_places(body, body.list_data_inputs(node), tensor.position)
        for attribute, function in called:
            if attribute not in _CONDITIONS:
                # Output names of a node are those of the function only if its op is the function.
                output = "" if attribute else tensor.output
                yield from self._follow_return(function, tensor.position, output)

    def _follow_return(self, function: str, index: int, output: str = "") -> Iterator[Name | Place]:
        """Finds the tensor that a function returns, by the name of the result or by its index."""
        body = self._program.functions[function]
        if output in body.returns:
            yield Place(function, parse_tensor(body.returns[output]))
        elif body.has_lists or index >= len(body.results):
            yield Name(Source.COMPUTED, f"by function '{function}'")
        else:
            yield Place(function, parse_tensor(body.results[index]))

    def _follow_argument(self, body: Body, place: Place) -> Iterator[Name | Place]:
        """Finds what callers of a function, and the object that owns it, pass to an argument."""
        function, position = body.function, body.arguments[place.tensor.node]
        captures = self._captures.get(function)
        calls = self._program.calls[function]
        first = len(body.arguments) - len(captures or ())
        if captures and position >= first:
            yield from captures[position - first]
        elif captures is not None or not calls or function in self._program.gradients:
            yield Name(Source.FED, f"argument '{place.tensor.node}' of function '{function}'")
        for call in calls:
            for item in self._follow_call(call, position, body):
                # If the argument is a dataset, its elements are those of the passed dataset.
                yield (
                    Place(item.function, item.tensor, place.component)
                    if isinstance(item, Place) and item.component is None
                    else item
                )

    def _follow_call(self, call: Call, position: int, called: Body) -> Iterator[Name | Place]:
        """Finds what a call passes to the argument of a function at a position."""
        body, node = call.body, call.node
        groups = body.group_inputs(node)
        captured = groups.get("other_arguments", [])
        references = None
        if not call.attribute:
            references = body.list_data_inputs(node)
        elif node.op in _ARGUMENTS and call.attribute != NESTED:
            references = [r for name in _ARGUMENTS[node.op] for r in groups.get(name, ())]
        elif node.op in _ELEMENT_CALLS and call.attribute != NESTED:
            elements = len(called.arguments) - len(captured)
            if position < elements and not called.has_lists:
                yield from self._make_element_places(body, groups["input_dataset"], position)
                return
            references = [*[""] * elements, *captured]
        if references is None or called.has_lists or position >= len(references):
            yield Name(Source.COMPUTED, f"by {node.op} '{node.name}'")
            return
        yield from self._make_places(body, [references[position]])
        for attribute, function in self._program.find_called_functions(node):
            # The results of an iteration of a loop are the arguments of the next.
            if attribute == "body" and call.attribute in ("body", "cond"):
                yield from self._follow_return(function, position)

    def _follow_element(
        self, body: Body, node: node_def_pb2.NodeDef, place: Place
    ) -> Iterator[Name | Place]:
        """Finds the origins of a component of the elements of a dataset."""
        references, component = body.list_data_inputs(node), place.component or 0
        called = [(a, f) for a, f in self._program.find_called_functions(node) if a != NESTED]
        if node.op in _SOURCE_DATASETS:
            yield from self._make_places(body, references, component)
        elif node.op in _FORWARDING_DATASETS or node.op in ("Identity", "PlaceholderWithDefault"):
            yield from self._make_element_places(body, references[:1], component)
        elif node.op == "ConcatenateDataset":
            yield from self._make_element_places(body, references[:2], component)
        elif node.op in _MAPPING_DATASETS and called:
            for _, function in called:
                yield from self._follow_return(function, component)
        elif node.op in _FLATTENING_DATASETS and called:
            for _, function in called:
                for item in self._follow_return(function, 0):
                    yield (
                        Place(item.function, item.tensor, component)
                        if isinstance(item, Place)
                        else item
                    )
        else:
            yield Name(Source.COMPUTED, f"by {node.op} '{node.name}'")

    def _make_places(
        self, body: Body, references: Sequence[str], position: int | None = None
    ) -> Iterator[Place]:
        """Makes places of references: of all, or only of the one at a position, if it exists."""
        if position is not None:
            references = references[position : position + 1]
        for reference in references:
            yield Place(body.function, parse_tensor(reference))

    def _make_element_places(
        self, body: Body, references: Iterable[str], component: int
    ) -> Iterator[Place]:
        """Makes places of a component of the elements of datasets."""
        for reference in references:
            yield Place(body.function, parse_tensor(reference), component)

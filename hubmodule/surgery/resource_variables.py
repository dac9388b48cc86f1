"""Converts reference variables and tables to resource variables and tables.

TF1 variables and tables return references to themselves. Functions do not accept references, but
each op on a reference has a counterpart on a resource handle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import tensorflow as tf
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.errors import ModuleFormatError
from hubmodule.surgery import collections, control_flow
from hubmodule.surgery.names import get_op_name, get_tensor_name, is_control

_HOLDERS = {
    "Variable": "VarHandleOp",
    "VariableV2": "VarHandleOp",
    "HashTable": "HashTableV2",
    "MutableDenseHashTable": "MutableDenseHashTableV2",
    "MutableHashTable": "MutableHashTableV2",
    "MutableHashTableOfTensors": "MutableHashTableOfTensorsV2",
}
# Ops that return the reference that they take.
_PASSING = {
    "RefEnter": "Enter",
    "RefExit": "Exit",
    "RefIdentity": "Identity",
    "RefMerge": "Merge",
    "RefNextIteration": "NextIteration",
    "RefSwitch": "Switch",
}
# Their output is the reference that they assign to.
_ASSIGNING = {
    "Assign": "AssignVariableOp",
    "AssignAdd": "AssignAddVariableOp",
    "AssignSub": "AssignSubVariableOp",
    **{
        f"Scatter{kind}": f"ResourceScatter{kind}"
        for kind in ("Add", "Div", "Max", "Min", "Mul", "NdAdd", "NdSub", "NdUpdate", "Sub")
    },
    "ScatterUpdate": "ResourceScatterUpdate",
}
_USING = {
    "CountUpTo": "ResourceCountUpTo",
    "IsVariableInitialized": "VarIsInitializedOp",
    **{
        op: f"{op}V2"
        for op in (
            "InitializeTable",
            "InitializeTableFromTextFile",
            "LookupTableExport",
            "LookupTableFind",
            "LookupTableImport",
            "LookupTableInsert",
            "LookupTableSize",
        )
    },
}
# Attributes that have another name in the counterpart, and those that it lacks.
_RENAMED = {"Assign": {"T": "dtype"}, "AssignAdd": {"T": "dtype"}, "AssignSub": {"T": "dtype"}} | {
    op: {"T": "dtype"}
    for op in _ASSIGNING
    if op.startswith("Scatter") and not op.startswith("ScatterNd")
}
_DROPPED = ("_output_shapes", "use_locking", "validate_shape")


def convert_references(meta_graph: MetaGraphDef) -> MetaGraphDef:
    """Returns the MetaGraph with handles instead of references; the same if it has none.

    Where a reference was used as a value, an op reads the variable: one for each use, with
    the control inputs of that use. Names of ops stay. The VariableDefs become those of
    resource variables, and signatures name the reading ops instead of references.

    Raises:
        ModuleFormatError: If an op on references has no counterpart.
    """
    if not any(node.op in _HOLDERS for node in meta_graph.graph_def.node):
        return meta_graph
    result = MetaGraphDef()
    result.CopyFrom(meta_graph)
    result.graph_def.ClearField("node")
    references = _References(meta_graph)
    nodes = _ResourceNodes(references, result.graph_def)
    for node in meta_graph.graph_def.node:
        nodes.convert(node)
    _convert_signatures_in_place(result, nodes)
    _convert_collections_in_place(result, references)
    _convert_variable_defs_in_place(result, nodes)
    _add_reads_to_contexts_in_place(result, nodes.reads)
    return result


class _References:
    """The references in a MetaGraph, which is not changed.

    Attributes:
        nodes: The nodes by name.
        dtypes: A dict from the name of each tensor that is a reference, e.g. "x:0", to the
            DataType of its value; for a table, to DT_RESOURCE.
    """

    def __init__(self, meta_graph: MetaGraphDef):
        self.nodes = {node.name: node for node in meta_graph.graph_def.node}
        self.dtypes: dict[str, int] = {}
        consumers: dict[str, list[tf.compat.v1.NodeDef]] = defaultdict(list)
        pending = []
        for node in self.nodes.values():
            for reference in node.input:
                if not is_control(reference):
                    consumers[get_tensor_name(reference)].append(node)
            if node.op in _HOLDERS:
                is_variable = _HOLDERS[node.op] == "VarHandleOp"
                dtype = node.attr["dtype"].type if is_variable else tf.resource.as_datatype_enum
                pending.append((f"{node.name}:0", dtype))
        # Starts at the state ops, because loops pass references in circles.
        while pending:
            tensor, dtype = pending.pop()
            if tensor in self.dtypes:
                continue
            self.dtypes[tensor] = dtype
            for node in consumers[tensor]:
                if node.op in _PASSING or (
                    node.op in _ASSIGNING and get_tensor_name(node.input[0]) == tensor
                ):
                    outputs = 2 if node.op == "RefSwitch" else 1
                    pending.extend((f"{node.name}:{i}", dtype) for i in range(outputs))

    def takes_handle(self, node: tf.compat.v1.NodeDef, index: int) -> bool:
        """Whether the counterpart of a node takes a handle for an input that is a reference.

        Raises:
            ModuleFormatError: If the node has no counterpart.
        """
        if node.op in _PASSING:
            return node.op == "RefMerge" or index == 0
        if index == 0 and (node.op in _ASSIGNING or node.op in _USING):
            return True
        if node.op.startswith("Ref") or self.dtypes[get_tensor_name(node.input[index])] == (
            tf.resource.as_datatype_enum
        ):
            raise ModuleFormatError(
                f"Op '{node.name}' of type {node.op} works on a reference to "
                f"'{node.input[index]}', and has no counterpart in TF2. Use the module with "
                "hub.Module in a tf.Graph."
            )
        return False

    def find_handle(self, reference: str) -> tuple[str, list[str]]:
        """Finds the handle of a reference, and the assignments that must run before its use."""
        assignments = []
        while self.nodes[get_op_name(reference)].op in _ASSIGNING:
            assignments.append("^" + get_op_name(reference))
            reference = self.nodes[get_op_name(reference)].input[0]
        return reference, assignments


class _ResourceNodes:
    """Writes the counterparts of nodes, and the reads that they need, to a new graph.

    Args:
        references: The references of the original graph.
        graph_def: The new graph, to which nodes are added.

    Attributes:
        references: The references of the original graph.
        reads: The names of the reading ops that were added for a node, by the node's name.
    """

    def __init__(self, references: _References, graph_def: tf.compat.v1.GraphDef):
        self.references = references
        self.reads: dict[str, list[str]] = defaultdict(list)
        self._graph_def = graph_def
        self._taken = set(references.nodes)

    def convert(self, node: tf.compat.v1.NodeDef) -> None:
        """Adds the counterpart of a node of the original graph; the node itself is not changed."""
        converted = self._graph_def.node.add()
        converted.CopyFrom(node)
        del converted.input[:]
        converted.input.extend(self._convert_inputs(node))
        counterparts: Mapping[str, str] = _HOLDERS | _PASSING | _ASSIGNING | _USING
        if node.op not in counterparts:
            return
        converted.op = counterparts[node.op]
        for name in _DROPPED:
            converted.attr.pop(name, None)
        for name, new_name in _RENAMED.get(node.op, {}).items():
            converted.attr[new_name].CopyFrom(node.attr[name])
            del converted.attr[name]
        if node.op in _PASSING:
            converted.attr["T"].type = tf.resource.as_datatype_enum
        elif node.op == "IsVariableInitialized":
            converted.attr.pop("dtype", None)
        elif node.op == "CountUpTo":
            converted.attr["T"].type = self.references.dtypes[get_tensor_name(node.input[0])]

    def add_read(self, name: str, reference: str, controls: Iterable[str] = ()) -> str:
        """Adds an op that reads a variable.

        Args:
            name: The name that the op gets, if it is free.
            reference: A reference to the variable, in the original graph.
            controls: Control inputs ("^op") of the op.

        Returns:
            The name of the op.
        """
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        handle, assignments = self.references.find_handle(reference)
        node = self._graph_def.node.add(name=name, op="ReadVariableOp")
        node.input.extend([handle, *dict.fromkeys([*assignments, *controls])])
        node.attr["dtype"].type = self.references.dtypes[get_tensor_name(reference)]
        return name

    def _convert_inputs(self, node: tf.compat.v1.NodeDef) -> list[str]:
        """Returns the inputs of the counterpart of a node: handles and reads for references."""
        controls = [reference for reference in node.input if is_control(reference)]
        inputs, assignments = [], []
        for index, reference in enumerate(node.input):
            if is_control(reference):
                continue
            if get_tensor_name(reference) not in self.references.dtypes:
                inputs.append(reference)
            elif self.references.takes_handle(node, index):
                handle, before = self.references.find_handle(reference)
                inputs.append(handle)
                assignments.extend(before)
            else:
                inputs.append(self.add_read(f"{node.name}/read_{index}", reference, controls))
                self.reads[node.name].append(inputs[-1])
        return [*inputs, *dict.fromkeys(assignments + controls)]


def _convert_signatures_in_place(meta_graph: MetaGraphDef, nodes: _ResourceNodes) -> None:
    """Replaces outputs that are references by the values that new ops read."""
    dtypes = nodes.references.dtypes
    for name, signature in meta_graph.signature_def.items():
        for key, info in signature.outputs.items():
            if info.name in dtypes:
                info.dtype = dtypes[info.name]
                read = f"{get_op_name(info.name)}/{_make_read_name(name, key)}"
                info.name = nodes.add_read(read, info.name) + ":0"


def _convert_collections_in_place(meta_graph: MetaGraphDef, references: _References) -> None:
    """Replaces the outputs of assignments by the names of their ops, which now have no output."""
    for collection in meta_graph.collection_def.values():
        names = collection.node_list.value
        for index, name in enumerate(names):
            if name in references.dtypes:
                names[index] = get_op_name(name)


def _convert_variable_defs_in_place(meta_graph: MetaGraphDef, nodes: _ResourceNodes) -> None:
    for key in (
        collections.VARIABLES,
        collections.TRAINABLE_VARIABLES,
        collections.MODEL_VARIABLES,
    ):
        definitions = collections.read_variable_defs(meta_graph, key)
        for definition in definitions:
            _convert_variable_def_in_place(definition, nodes)
        if definitions:
            values = meta_graph.collection_def[key].bytes_list.value
            del values[:]
            values.extend(definition.SerializeToString() for definition in definitions)


def _convert_variable_def_in_place(definition: VariableDef, nodes: _ResourceNodes) -> None:
    if definition.variable_name not in nodes.references.dtypes:
        return
    definition.is_resource = True
    if definition.snapshot_name in nodes.references.dtypes:
        name = f"{get_op_name(definition.variable_name)}/snapshot"
        definition.snapshot_name = f"{nodes.add_read(name, definition.snapshot_name)}:0"


def _add_reads_to_contexts_in_place(
    meta_graph: MetaGraphDef, reads: Mapping[str, Iterable[str]]
) -> None:
    """Adds the reads to the control flow contexts of the nodes for which they were made."""
    for key, kind in control_flow.CONTEXT_DEFS.items():
        if key not in meta_graph.collection_def:
            continue
        values = meta_graph.collection_def[key].bytes_list.value
        contexts = [kind.FromString(value) for value in values]
        for root in contexts:
            for context in control_flow.iterate_family(root):
                for member in control_flow.find_members(context):
                    context.values_def.values.extend(f"{r}:0" for r in reads.get(member, ()))
        del values[:]
        values.extend(context.SerializeToString() for context in contexts)


def _make_read_name(*names: str) -> str:
    """Makes the name of an op that reads a variable for an output of a signature."""
    return "_".join(["output", *("".join(c if c.isalnum() else "_" for c in n) for n in names)])

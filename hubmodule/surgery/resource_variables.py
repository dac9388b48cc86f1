"""Turns state that is passed by reference into state that is passed by handle.

TF1 variables and tables gave references to themselves. Functions take no references,
but every op on one has a counterpart on a resource handle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import tensorflow as tf
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.errors import ModuleFormatError
from hubmodule.surgery import collections, control_flow
from hubmodule.surgery.names import is_control, op_name, tensor_name

_HOLDERS = {
    "Variable": "VarHandleOp",
    "VariableV2": "VarHandleOp",
    "HashTable": "HashTableV2",
    "MutableDenseHashTable": "MutableDenseHashTableV2",
    "MutableHashTable": "MutableHashTableV2",
    "MutableHashTableOfTensors": "MutableHashTableOfTensorsV2",
}
# These take references and give them on.
_PASSING = {
    "RefEnter": "Enter",
    "RefExit": "Exit",
    "RefIdentity": "Identity",
    "RefMerge": "Merge",
    "RefNextIteration": "NextIteration",
    "RefSwitch": "Switch",
}
# Their output is the reference that they are given, after the assignment.
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
# Attributes that the counterparts call otherwise, and those that they lack.
_RENAMED = {"Assign": {"T": "dtype"}, "AssignAdd": {"T": "dtype"}, "AssignSub": {"T": "dtype"}} | {
    op: {"T": "dtype"}
    for op in _ASSIGNING
    if op.startswith("Scatter") and not op.startswith("ScatterNd")
}
_DROPPED = ("_output_shapes", "use_locking", "validate_shape")


def with_resources(meta_graph: MetaGraphDef) -> MetaGraphDef:
    """The MetaGraph without references; itself if it has none.

    A variable is read where its reference was used as a value, once for each use and
    after what that use waited for. Names of ops stay; the VariableDefs become those of
    resource variables, and signatures that name references name reads.

    Raises:
        ModuleFormatError: if an op on references has no counterpart.
    """
    if not any(node.op in _HOLDERS for node in meta_graph.graph_def.node):
        return meta_graph
    result = MetaGraphDef()
    result.CopyFrom(meta_graph)
    _Rewriting(result).run()
    return result


class _Rewriting:
    """Changes one MetaGraph in place."""

    def __init__(self, meta_graph: MetaGraphDef):
        self._meta_graph = meta_graph
        self._nodes = {node.name: node for node in meta_graph.graph_def.node}
        self._ops = {name: node.op for name, node in self._nodes.items()}  # as they were
        self._dtypes: dict[str, int] = {}  # of the values, per tensor that was a reference
        self._reads: dict[str, list[str]] = defaultdict(list)  # the reads made for a node

    def run(self) -> None:
        self._find_references()
        for node in list(self._meta_graph.graph_def.node):
            self._rewrite_inputs(node)
        for node in list(self._nodes.values()):
            self._rewrite_op(node)
        self._rewrite_signatures()
        self._rewrite_collections()
        self._rewrite_variable_defs()
        self._rewrite_contexts()

    def _find_references(self) -> None:
        """References are followed from their holders, as loops pass them around in circles."""
        consumers: dict[str, list[tf.compat.v1.NodeDef]] = defaultdict(list)
        pending = []
        for node in self._nodes.values():
            for reference in node.input:
                if not is_control(reference):
                    consumers[tensor_name(reference)].append(node)
            if node.op in _HOLDERS:
                is_variable = _HOLDERS[node.op] == "VarHandleOp"
                dtype = node.attr["dtype"].type if is_variable else tf.resource.as_datatype_enum
                pending.append((f"{node.name}:0", dtype))
        while pending:
            tensor, dtype = pending.pop()
            if tensor in self._dtypes:
                continue
            self._dtypes[tensor] = dtype
            for node in consumers[tensor]:
                if node.op in _PASSING or (
                    node.op in _ASSIGNING and tensor_name(node.input[0]) == tensor
                ):
                    outputs = 2 if node.op == "RefSwitch" else 1
                    pending.extend((f"{node.name}:{i}", dtype) for i in range(outputs))

    def _rewrite_inputs(self, node: tf.compat.v1.NodeDef) -> None:
        controls = [reference for reference in node.input if is_control(reference)]
        inputs, after = [], []
        for index, reference in enumerate(node.input):
            if is_control(reference) or tensor_name(reference) not in self._dtypes:
                inputs.append(reference)
            elif self._takes_handle(node, index):
                handle, waits = self._handle(reference)
                inputs.append(handle)
                after.extend(waits)
            else:
                inputs.append(self._read(f"{node.name}/read_{index}", reference, controls))
                self._reads[node.name].append(inputs[-1])
        del node.input[:]
        data = [reference for reference in inputs if not is_control(reference)]
        node.input.extend([*data, *dict.fromkeys(after + controls)])

    def _takes_handle(self, node: tf.compat.v1.NodeDef, index: int) -> bool:
        op = self._ops[node.name]
        if op in _PASSING:
            return op == "RefMerge" or index == 0
        if index == 0 and (op in _ASSIGNING or op in _USING):
            return True
        if op.startswith("Ref") or self._dtypes[tensor_name(node.input[index])] == (
            tf.resource.as_datatype_enum
        ):
            raise ModuleFormatError(
                f"Op '{node.name}' of type {op} works on a reference to '{node.input[index]}', and "
                "has no counterpart in TF2. Use the module with hub.Module in a tf.Graph."
            )
        return False

    def _handle(self, reference: str) -> tuple[str, list[str]]:
        """The handle for a reference, and the assignments that come before its use."""
        waits = []
        while self._ops[op_name(reference)] in _ASSIGNING:
            waits.append("^" + op_name(reference))
            node = self._nodes[op_name(reference)]
            reference = node.input[0]
        return reference, waits

    def _read(self, name: str, reference: str, controls: list[str]) -> str:
        """Adds an op that reads a variable; returns its name."""
        while name in self._nodes:
            name += "_"
        handle, waits = self._handle(reference)
        node = self._meta_graph.graph_def.node.add(name=name, op="ReadVariableOp")
        node.input.extend([handle, *dict.fromkeys(waits + controls)])
        node.attr["dtype"].type = self._dtypes[tensor_name(reference)]
        self._nodes[name] = node
        self._ops[name] = node.op
        return name

    def _rewrite_op(self, node: tf.compat.v1.NodeDef) -> None:
        old = node.op
        counterparts: Mapping[str, str] = _HOLDERS | _PASSING | _ASSIGNING | _USING
        if old not in counterparts:
            return
        node.op = counterparts[old]
        for name in _DROPPED:
            node.attr.pop(name, None)
        for name, new_name in _RENAMED.get(old, {}).items():
            node.attr[new_name].CopyFrom(node.attr[name])
            del node.attr[name]
        if old in _PASSING:
            node.attr["T"].type = tf.resource.as_datatype_enum
        elif old == "IsVariableInitialized":
            node.attr.pop("dtype", None)
        elif old == "CountUpTo":
            node.attr["T"].type = self._dtypes[tensor_name(node.input[0])]

    def _rewrite_signatures(self) -> None:
        for name, signature in self._meta_graph.signature_def.items():
            for key, info in signature.outputs.items():
                if info.name in self._dtypes:
                    info.dtype = self._dtypes[info.name]
                    read = f"{op_name(info.name)}/{_plain(name, key)}"
                    info.name = self._read(read, info.name, []) + ":0"

    def _rewrite_collections(self) -> None:
        """An assignment has no output any more; it is known by its op."""
        for collection in self._meta_graph.collection_def.values():
            names = collection.node_list.value
            for index, name in enumerate(names):
                if name in self._dtypes:
                    names[index] = op_name(name)

    def _rewrite_variable_defs(self) -> None:
        for key in (
            collections.VARIABLES,
            collections.TRAINABLE_VARIABLES,
            collections.MODEL_VARIABLES,
        ):
            definitions = collections.variables_in(self._meta_graph, key)
            for definition in definitions:
                self._rewrite_definition(definition)
            if definitions:
                values = self._meta_graph.collection_def[key].bytes_list.value
                del values[:]
                values.extend(definition.SerializeToString() for definition in definitions)

    def _rewrite_definition(self, definition: VariableDef) -> None:
        if definition.variable_name not in self._dtypes:
            return
        definition.is_resource = True
        if definition.snapshot_name in self._dtypes:
            name = f"{op_name(definition.variable_name)}/snapshot"
            read = self._read(name, definition.snapshot_name, [])
            definition.snapshot_name = f"{read}:0"

    def _rewrite_contexts(self) -> None:
        """Puts the reads into the control flow contexts of the ops that they were made for."""
        for key, kind in control_flow.CONTEXT_DEFS.items():
            if key not in self._meta_graph.collection_def:
                continue
            values = self._meta_graph.collection_def[key].bytes_list.value
            contexts = [kind.FromString(value) for value in values]
            for root in contexts:
                for context in control_flow.family(root):
                    for member in control_flow.members(context):
                        context.values_def.values.extend(f"{r}:0" for r in self._reads[member])
            del values[:]
            values.extend(context.SerializeToString() for context in contexts)


def _plain(*names: str) -> str:
    return "_".join(["output", *("".join(c if c.isalnum() else "_" for c in n) for n in names)])

"""The state of a module as objects: variables, tables and assets.

All graph variants and all signatures of the module share these objects.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Mapping

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import CheckpointError, ModuleFormatError
from hubmodule.format.checkpoint import Contents
from hubmodule.module.blame import explain_failures
from hubmodule.module.variant import Variant
from hubmodule.surgery import collections, partitions
from hubmodule.surgery.names import get_op_name
from hubmodule.surgery.state import VariableState
from hubmodule.tf2 import tables
from hubmodule.tf2.tables import Table

# TensorFlow raises FailedPreconditionError where a directory has the name of the file.
_DAMAGE = (
    tf.errors.DataLossError,
    tf.errors.FailedPreconditionError,
    tf.errors.NotFoundError,
    tf.errors.OutOfRangeError,
)
_TABLE_DAMAGE = (*_DAMAGE, tf.errors.InvalidArgumentError)


class ModuleState(_tf.AutoTrackable):
    """The variables, tables and assets of a module.

    Args:
        checkpoint: The contents of the checkpoint from which the variables are read.
        io_device: The device of the op that reads them, e.g. "/job:localhost"; None lets
            TensorFlow choose.

    Attributes:
        variables: The variables by the names of their ops in the module.
        tables: The tables, and other resources, by the names of their ops in the module.
        assets: The assets by the names of their ops in the module.
    """

    def __init__(self, checkpoint: Contents, io_device: str | None = None):
        super().__init__()
        self._checkpoint = checkpoint
        self._io_device = io_device
        self._lock = threading.RLock()
        self._added: weakref.WeakSet[Variant] = weakref.WeakSet()
        self.variables: dict[str, tf.Variable] = {}
        self.tables: dict[str, Table] = {}
        self.assets: dict[str, tf.saved_model.Asset] = {}

    def add(self, variant: Variant) -> None:
        """Adds the variables, tables and assets of a graph variant that are missing.

        Args:
            variant: The graph variant.

        Raises:
            CheckpointError: If the checkpoint lacks a variable, or is damaged.
            ModuleFormatError: If the graph variant holds state that an object cannot hold, or is
                damaged.
        """
        with self._lock, tf.init_scope():
            if variant not in self._added:
                with explain_failures(variant, "loaded", lambda: self._make_empty()._add(variant)):
                    self._add(variant)
                self._added.add(variant)

    def _make_empty(self) -> ModuleState:
        return ModuleState(self._checkpoint, self._io_device)

    def _add(self, variant: Variant) -> None:
        self._add_variables(variant)
        self._add_assets(variant)
        self._add_tables(variant)

    def add_restorable_variables(self, variant: Variant) -> None:
        """Adds the variables of a graph variant, unless the checkpoint lacks one of them."""
        definitions = collections.read_variable_defs(variant.meta_graph, collections.VARIABLES)
        missing = [d for d in definitions if get_op_name(d.variable_name) not in self.variables]
        if missing and {partitions.get_full_name(d) for d in missing} <= set(
            self._checkpoint.shapes
        ):
            with self._lock, tf.init_scope():
                self._add_variables(variant)

    def capture(self, tensor: str, watched: bool = True) -> tf.Tensor:
        """Captures a handle or the path of an asset in the function under construction.

        Args:
            tensor: The name of the tensor in the module.
            watched: Whether gradient tapes watch the variable, if it is the handle of one.

        Returns:
            A tensor of the function's graph.

        Raises:
            ModuleFormatError: If the tensor is the handle of a variable in no collection.
        """
        op = get_op_name(tensor)
        graph = tf.compat.v1.get_default_graph()
        if op in self.variables:
            if watched:
                _tf.record_read(self.variables[op])
            return graph.capture(_get_local_component(self.variables[op]).handle)
        if op in self.tables:
            return graph.capture(self.tables[op].resource_handle)
        if op in self.assets:
            return graph.capture(self.assets[op].asset_path)
        raise ModuleFormatError(
            f"Op '{op}' holds a variable that is not in the module's collection 'variables', so it "
            "has no value. Export the module again."
        )

    def _add_variables(self, variant: Variant) -> None:
        variables = [v for v in variant.variables if v.op not in self.variables]
        for variable in variables:
            name, shape = variable.checkpoint_name, variable.checkpoint_shape
            self._checkpoint.check(name, shape, variable.dtype)
        trainable = {
            get_op_name(name)
            for name in variant.list_variable_names(collections.TRAINABLE_VARIABLES)
        }
        self._restore(variables, trainable)

    def _restore(self, variables: list[VariableState], trainable: Iterable[str]) -> None:
        if not variables:
            return
        for variable, value in zip(variables, self._read(variables), strict=True):
            value.set_shape(variable.shape)
            trains = variable.op in trainable
            self.variables[variable.op] = _tf.make_variable(
                value,
                variable.op,
                trainable=trains,
                dtype=variable.dtype,
                shape=variable.shape,
                **({} if trains else _choose_sharing(variable.dtype)),
            )

    def _read(self, variables: list[VariableState]) -> list[tf.Tensor]:
        try:
            with tf.device(self._io_device):
                return tf.raw_ops.RestoreV2(
                    prefix=self._checkpoint.prefix,
                    tensor_names=[v.checkpoint_name for v in variables],
                    shape_and_slices=[v.slice_spec for v in variables],
                    dtypes=[v.dtype for v in variables],
                )
        except _DAMAGE as error:
            raise CheckpointError(
                f"Checkpoint {self._checkpoint.prefix} is damaged: {error.message} Fetch it again."
            ) from error

    def _add_assets(self, variant: Variant) -> None:
        for tensor in collections.list_names(variant.meta_graph, collections.ASSET_FILEPATHS):
            op = get_op_name(tensor)
            if op not in self.assets:
                content = variant.index.nodes[op].attr["value"].tensor
                path = bytes(tf.make_ndarray(content).item()).decode()
                self.assets[op] = tf.saved_model.Asset(path)

    def _add_tables(self, variant: Variant) -> None:
        new = {node.name: Table(node) for node in self._find_new_tables(variant)}
        if not new:
            return
        tables.make_resources(list(new.values()))
        self.tables.update(new)
        initialisers = _find_initialisers(variant)
        for op, table in new.items():
            table.set_initialisers(
                [_make_initialiser(self, variant, name) for name in initialisers.get(op, ())]
            )
        _fill_tables(new, variant.origin)

    def _find_new_tables(self, variant: Variant) -> list[tf.compat.v1.NodeDef]:
        """Finds the ops of a graph variant whose resources, e.g. tables, have not been added."""
        variable_ops = {variable.op for variable in variant.variables}
        known = variable_ops.union(self.assets, self.tables)
        nodes = [variant.index.nodes[op] for op in sorted(variant.state_ops - known)]
        for node in nodes:
            op_def = _tf.find_op_def(node.op)
            if op_def is None or op_def.output_arg[0].type != tf.resource.as_datatype_enum:
                raise ModuleFormatError(
                    f"Op '{node.name}' of type {node.op} holds state that an object cannot hold. "
                    "Use the module with hub.Module in a tf.Graph."
                )
        # A variable that is in no collection has no value, so it is left out.
        return [node for node in nodes if node.op != "VarHandleOp"]


def _fill_tables(tables_by_op: Mapping[str, Table], origin: str) -> None:
    """Fills tables.

    Raises:
        ModuleFormatError: If a table cannot be filled; the message names it.
    """
    try:
        tables.fill(list(tables_by_op.values()))
    except _TABLE_DAMAGE as error:
        fault = _find_unfillable_table(tables_by_op, origin)
        if fault is None:
            raise
        raise fault from error


def _find_unfillable_table(
    tables_by_op: Mapping[str, Table], origin: str
) -> ModuleFormatError | None:
    """Finds the table that cannot be filled, after the filling of all tables has failed.

    Returns:
        The error to raise; None if each table can be filled alone.
    """
    for op, table in tables_by_op.items():
        try:
            tables.fill([table])
        except _TABLE_DAMAGE as error:
            return ModuleFormatError(
                f"Table '{op}' of {origin} cannot be filled: {error.message} Fetch the module "
                "again."
            )
    return None


def _find_initialisers(variant: Variant) -> dict[str, list[str]]:
    """Finds the names of the table initialisers, by the name of the op of the table."""
    by_table: dict[str, list[str]] = {}
    state = variant.state_tensors
    for name in collections.list_names(variant.meta_graph, collections.TABLE_INITIALIZERS):
        touched = variant.index.find_needed([name], state, variant.state_ops).tensors & state
        filled = sorted(
            get_op_name(tensor)
            for tensor in touched
            if variant.index.nodes[get_op_name(tensor)].op not in ("Const", "VarHandleOp")
        )
        if filled:
            by_table.setdefault(filled[0], []).append(name)
    return by_table


def _make_initialiser(state: ModuleState, variant: Variant, name: str) -> Callable[[], None]:
    """Makes a function that adds a table initialiser to the function under construction."""

    def add() -> None:
        subgraph = variant.index.find_needed([name], variant.state_tensors, variant.state_ops)
        live = {tensor: state.capture(tensor) for tensor in subgraph.tensors}
        _tf.import_graph_def(variant.index.extract(subgraph.ops), live)

    return add


def _get_local_component(variable: tf.Variable) -> tf.Variable:
    """Returns the component of a distributed variable that this replica uses.

    Outside of a replica, it is that of the first replica.
    """
    if tf.distribute.get_replica_context() is not None or not tf.distribute.has_strategy():
        return variable
    return tf.distribute.get_strategy().experimental_local_results(variable)[0]


def _choose_sharing(dtype: tf.DType) -> dict[str, object]:
    """Chooses how the replicas of a strategy share a variable that is not trainable.

    Each replica updates its own component, e.g. of the moving averages of batch normalisation.

    Returns:
        The arguments of tf.Variable, by name.
    """
    mean = dtype.is_floating or dtype.is_complex
    kinds = tf.VariableAggregation
    return {
        "synchronization": tf.VariableSynchronization.ON_READ,
        "aggregation": kinds.MEAN if mean else kinds.ONLY_FIRST_REPLICA,
    }

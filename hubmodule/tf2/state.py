"""The state of a module as objects: variables, tables and assets, each there once.

All graph variants and all signatures share it.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Mapping

import tensorflow as tf

from hubmodule import _tf
from hubmodule.errors import CheckpointError, ModuleFormatError
from hubmodule.format.checkpoint import Contents
from hubmodule.module.blame import blaming
from hubmodule.module.variant import Variant
from hubmodule.surgery import collections, partitions
from hubmodule.surgery.names import op_name
from hubmodule.surgery.state import VariableState
from hubmodule.tf2 import tables
from hubmodule.tf2.tables import Table

_DAMAGE = (tf.errors.DataLossError, tf.errors.NotFoundError, tf.errors.OutOfRangeError)
_TABLE_DAMAGE = (*_DAMAGE, tf.errors.InvalidArgumentError)


class State(_tf.AutoTrackable):
    """Variables, tables and assets by the names of their ops in the module.

    Args:
        checkpoint: where the variables are read.
        io_device: of the op that reads them; None leaves it open.
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
        """Makes what a variant needs and what is not there yet.

        Raises:
            CheckpointError: if the checkpoint lacks a variable, or is damaged.
            ModuleFormatError: if there is state of a kind that is not known, or the variant
                is damaged.
        """
        with self._lock, tf.init_scope():
            if variant not in self._added:
                with blaming(variant, "loaded", lambda: self._unfilled()._add(variant)):
                    self._add(variant)
                self._added.add(variant)

    def _unfilled(self) -> State:
        return State(self._checkpoint, self._io_device)

    def _add(self, variant: Variant) -> None:
        self._add_variables(variant)
        self._add_assets(variant)
        self._add_tables(variant)

    def add_variables_if_there(self, variant: Variant) -> None:
        """Makes the variables of a variant, unless the checkpoint lacks some of them."""
        definitions = collections.variables_in(variant.meta_graph, collections.VARIABLES)
        missing = [d for d in definitions if op_name(d.variable_name) not in self.variables]
        if missing and {partitions.full_name(d) for d in missing} <= set(self._checkpoint.shapes):
            with self._lock, tf.init_scope():
                self._add_variables(variant)

    def captured(self, tensor: str, watched: bool = True) -> tf.Tensor:
        """A handle or path, as a tensor of the function under construction.

        Args:
            tensor: its name in the module.
            watched: whether tapes get to know that a variable is read.
        """
        op = op_name(tensor)
        graph = tf.compat.v1.get_default_graph()
        if op in self.variables:
            if watched:
                _tf.note_access(self.variables[op])
            return self.captured_handle(self.variables[op])
        if op in self.tables:
            return graph.capture(self.tables[op].resource_handle)
        if op in self.assets:
            return graph.capture(self.assets[op].asset_path)
        raise ModuleFormatError(
            f"Op '{op}' holds a variable that is not in the module's collection 'variables', so it "
            "has no value. Export the module again."
        )

    def captured_handle(self, variable: tf.Variable) -> tf.Tensor:
        """The handle of a variable, as a tensor of the function under construction."""
        return tf.compat.v1.get_default_graph().capture(_of_this_replica(variable).handle)

    def _add_variables(self, variant: Variant) -> None:
        variables = [v for v in variant.variables if v.op not in self.variables]
        for variable in variables:
            name, shape = variable.checkpoint_name, variable.checkpoint_shape
            self._checkpoint.check(name, shape, variable.dtype)
        trainable = {op_name(name) for name in variant.names_of(collections.TRAINABLE_VARIABLES)}
        self._restore(variables, trainable)

    def _restore(self, variables: list[VariableState], trainable: Iterable[str]) -> None:
        if not variables:
            return
        for variable, value in zip(variables, self._read(variables), strict=True):
            value.set_shape(variable.shape)
            trains = variable.op in trainable
            self.variables[variable.op] = _tf.new_variable(
                value,
                variable.op,
                trainable=trains,
                dtype=variable.dtype,
                shape=variable.shape,
                **({} if trains else _statistics(variable.dtype)),
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
        for tensor in collections.names_in(variant.meta_graph, collections.ASSET_FILEPATHS):
            op = op_name(tensor)
            if op not in self.assets:
                content = variant.index.nodes[op].attr["value"].tensor
                path = bytes(tf.make_ndarray(content).item()).decode()
                self.assets[op] = tf.saved_model.Asset(path)

    def _add_tables(self, variant: Variant) -> None:
        initialisers = _initialisers(variant)
        variable_ops = {variable.op for variable in variant.variables}
        new = {}
        for op in sorted(variant.state_ops - variable_ops - set(self.assets) - set(self.tables)):
            node = variant.index.nodes[op]
            op_def = _tf.op_def(node.op)
            if op_def is None or op_def.output_arg[0].type != tf.resource.as_datatype_enum:
                raise ModuleFormatError(
                    f"Op '{op}' of type {node.op} holds state that an object cannot hold. Use the "
                    "module with hub.Module in a tf.Graph."
                )
            if node.op == "VarHandleOp":
                continue  # Of no collection: nothing gives it a value.
            new[op] = Table(node)
        if not new:
            return
        tables.make(list(new.values()))
        self.tables.update(new)
        for op, table in new.items():
            table.set_initialisers(
                [_import(self, variant, name) for name in initialisers.get(op, ())]
            )
        try:
            tables.fill(list(new.values()))
        except _TABLE_DAMAGE as error:
            fault = _find_unfillable_table(new, variant.origin)
            if fault is None:
                raise
            raise fault from error


def _find_unfillable_table(
    tables_by_op: Mapping[str, Table], origin: str
) -> ModuleFormatError | None:
    """Finds the table that made the filling of all tables fail; None if each fills by itself."""
    for op, table in tables_by_op.items():
        try:
            tables.fill([table])
        except _TABLE_DAMAGE as error:
            return ModuleFormatError(
                f"Table '{op}' of {origin} cannot be filled: {error.message} Fetch the module "
                "again."
            )
    return None


def _initialisers(variant: Variant) -> dict[str, list[str]]:
    """The table initialisers by the op of the table that each fills."""
    by_table: dict[str, list[str]] = {}
    state = variant.state_tensors
    for name in collections.names_in(variant.meta_graph, collections.TABLE_INITIALIZERS):
        touched = variant.index.find_needed([name], state, variant.state_ops).tensors & state
        filled = sorted(
            op_name(tensor)
            for tensor in touched
            if variant.index.nodes[op_name(tensor)].op not in ("Const", "VarHandleOp")
        )
        if filled:
            by_table.setdefault(filled[0], []).append(name)
    return by_table


def _import(state: State, variant: Variant, initialiser: str) -> Callable[[], None]:
    """A function that adds an initialiser to the function under construction."""

    def add() -> None:
        part = variant.index.find_needed([initialiser], variant.state_tensors, variant.state_ops)
        live = {tensor: state.captured(tensor) for tensor in part.tensors}
        _tf.import_graph_def(variant.index.extract(part.ops), live)

    return add


def _of_this_replica(variable: tf.Variable) -> tf.Variable:
    """The component of a distributed variable to use here; the first between replicas."""
    if tf.distribute.get_replica_context() is not None or not tf.distribute.has_strategy():
        return variable
    return tf.distribute.get_strategy().experimental_local_results(variable)[0]


def _statistics(dtype: tf.DType) -> dict[str, object]:
    """How replicas share what no optimiser trains: each updates its own, as in batch norm."""
    mean = dtype.is_floating or dtype.is_complex
    kinds = tf.VariableAggregation
    return {
        "synchronization": tf.VariableSynchronization.ON_READ,
        "aggregation": kinds.MEAN if mean else kinds.ONLY_FIRST_REPLICA,
    }

"""Module: a module in a graph."""

from __future__ import annotations

import functools
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import tensorflow as tf
from google.protobuf.message import Message

from hubmodule.auditing.policy import check_policy
from hubmodule.errors import GraphError, ModuleDefinitionError
from hubmodule.format import checkpoint, module_def, saved_model
from hubmodule.format.signatures import TensorInfo
from hubmodule.module import values
from hubmodule.module.apply_graph import add_application
from hubmodule.module.saving import Saving
from hubmodule.module.spec import ModuleSpec, entries_in
from hubmodule.module.state_graph import Variable, build_state
from hubmodule.module.variant import Variant
from hubmodule.resolver import resolvers
from hubmodule.surgery import partitions

M = TypeVar("M", bound=Message)

_logger = logging.getLogger("hubmodule")

# Nobody needs a signature this often in one graph; a loop that calls it does.
_MANY_APPLICATIONS = 100


def load_module_spec(handle: str | os.PathLike[str]) -> ModuleSpec:
    """Loads a module.

    Args:
        handle: says where the module is, for example the path of its directory.

    Raises:
        HandleNotFoundError: if nothing is there.
        NotAModuleError: if something else is there.
        ModuleFormatError: if the module is damaged, or of an unknown format.
        ModuleRefusedError: if HUBMODULE_AUDIT is "refuse", and the audit has findings.
    """
    path = resolvers.resolve(handle)
    module_def.check(path)
    check_policy(path)
    variants = [
        Variant(frozenset(meta_graph.meta_info_def.tags), meta_graph)
        for meta_graph in saved_model.read(path)
    ]
    return ModuleSpec(variants, saved_model.checkpoint_prefix(path), path)


class Module:
    """A module in the default graph: state that is there once, applied any number of times.

        with tf.Graph().as_default():
            embed = hub.Module("/path/to/module")
            vectors = embed(["A sentence."])

    Adds variables, tables and their initialisers under a fresh scope. For a module
    that was loaded, tf.compat.v1.global_variables_initializer() reads the trained
    values; tables are filled by tf.compat.v1.tables_initializer().

    Args:
        spec: a ModuleSpec, or the handle of a module.
        trainable: whether to add to the collections TRAINABLE_VARIABLES,
            REGULARIZATION_LOSSES and, at each call, UPDATE_OPS.
        name: of the scope, made unique.
        tags: of the graph variant; None is the empty set. Training usually wants
            {"train"}.

    Raises:
        as load_module_spec() for a handle.
        CheckpointError: if the module's checkpoint lacks a variable.
        GraphError: in eager mode.
        ModuleDefinitionError: if `spec` is neither a spec nor a handle.
        NoSuchVariantError: if no graph variant has these tags.
        ScopeError: if the name scope is taken where the variable scope is free.
        UnregisteredOpsError: if no signature can be applied, as the module needs ops
            that no imported package has.
    """

    def __init__(
        self,
        spec: ModuleSpec | str | os.PathLike[str],
        trainable: bool = False,
        name: str = "module",
        tags: Iterable[str] | None = None,
    ):
        if tf.executing_eagerly():
            raise GraphError(
                "hub.Module() needs a tf.Graph, but eager execution is enabled here: build it "
                "under 'with tf.Graph().as_default():', or use hub.load() in TF2."
            )
        self._spec = as_spec(spec)
        self._trainable = trainable
        self._variant = self._spec.variant(tags)
        self._variant.check_usable()
        self._state = build_state(self._variant, self._spec.checkpoint_contents, name, trainable)
        self._saving = Saving(self._state, self._variant.variables)
        self._name = self._state.scope.rstrip("/").rpartition("/")[-1]
        self._applications: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<hub.Module {self._state.scope.rstrip('/')!r} of {self._spec!r}>"

    def __call__(
        self,
        inputs: Any = None,
        _sentinel: None = None,
        signature: str | None = None,
        as_dict: bool | None = None,
    ) -> Any:
        """Applies the module: adds ops to the graph that compute outputs of inputs.

        Args:
            inputs: a tensor, a sparse or ragged tensor, or what can become one; for
                several inputs, or for none with a name that matters, a dict.
            signature: its name; None is "default".
            as_dict: whether to return all outputs in a dict.

        Returns:
            The output "default", or the dict of all outputs.

        Raises:
            ColocationError: if constraints of the module cannot hold with these inputs.
            GraphError: if the default graph is not the module's, nor within it.
            NoSuchSignatureError: if there is none of this name.
            SignatureMismatchError: if the inputs do not fit, or there is no output
                "default" and not as_dict.
            UnregisteredOpsError: if this signature needs ops that no imported package has.
        """
        values.check_named(_sentinel)
        name = signature or "default"
        declared = self._variant.signature(name)
        given = values.by_name(declared.inputs, inputs, name)
        values.check_default(declared.outputs, name, as_dict)
        results = add_application(
            self._variant, self._state, self._name, name, given, self._trainable
        )
        self._warn_of_growth(name)
        return results if as_dict else results["default"]

    def _warn_of_growth(self, signature: str) -> None:
        self._applications[signature] += 1
        if self._applications[signature] == _MANY_APPLICATIONS:
            _logger.warning(
                "Module '%s' was applied %d times with signature '%s'. Each call adds ops to the "
                "graph: apply it once to a placeholder, or use hub.eval_function_for_module().",
                self._name,
                _MANY_APPLICATIONS,
                signature,
            )

    @property
    def graph(self) -> tf.Graph:
        """The graph that the module's state is in."""
        return self._state.graph

    @property
    def variable_map(self) -> dict[str, Variable | list[Variable]]:
        """The variables by their names in the module; partitioned ones as lists of parts."""
        variables = self._state.variables
        groups = partitions.grouped(v.definition for v in self._variant.variables)
        return {
            name: [variables[part.variable_name] for part in parts]
            if partitions.is_part(parts[0])
            else variables[parts[0].variable_name]
            for name, parts in groups.items()
        }

    @property
    def variables(self) -> list[Variable]:
        """All variables, each part of a partitioned one by itself, sorted by name."""
        return sorted(self._state.variables.values(), key=lambda variable: variable.name)

    def get_signature_names(self) -> list[str]:
        """The names of the signatures."""
        return self._spec.get_signature_names(self._variant.tags)

    def get_input_info_dict(self, signature: str | None = None) -> dict[str, TensorInfo]:
        """What the inputs of a signature are; as ModuleSpec.get_input_info_dict."""
        return self._spec.get_input_info_dict(signature, self._variant.tags)

    def get_output_info_dict(self, signature: str | None = None) -> dict[str, TensorInfo]:
        """What the outputs of a signature are; as ModuleSpec.get_input_info_dict."""
        return self._spec.get_output_info_dict(signature, self._variant.tags)

    def get_attached_message(
        self, key: str, message_type: type[M], required: bool = False
    ) -> M | None:
        """The message attached under a key; as ModuleSpec.get_attached_message."""
        return self._spec.get_attached_message(key, message_type, self._variant.tags, required)

    def export(
        self,
        path: str | os.PathLike[str],
        session: tf.compat.v1.Session,
        overwrite: bool = False,
    ) -> None:
        """Writes the module with the values that its variables have in a session.

        All graph variants are written. The graph may be finalized; if it is not, the first
        export adds an op to it.

        Args:
            path: of the directory to make. It appears when it is complete.
            session: a session of the module's graph, with initialised variables.
            overwrite: whether a module that is at `path` is replaced.

        Raises:
            ExportExistsError: if something is at `path` that may not be replaced.
            GraphError: if the session is of another graph.
            tf.errors.FailedPreconditionError: if a variable is not initialised.
        """
        if getattr(session, "graph", None) is not self.graph:
            raise GraphError(
                f"export() needs a session of the graph that the module is in, not {session!r}."
            )
        self._write(path, functools.partial(self._saving.write, session), overwrite)

    def export_from_checkpoint(
        self,
        path: str | os.PathLike[str],
        checkpoint_path: str | os.PathLike[str],
        overwrite: bool = False,
    ) -> None:
        """Writes the module with the values that a checkpoint of this graph has for it.

        Needs no session, and holds one variable at a time in memory. All graph variants
        are written.

        Args:
            path: of the directory to make. It appears when it is complete.
            checkpoint_path: the path prefix of a checkpoint, in which the module's variables
                have the names that they have in this graph.
            overwrite: whether a module that is at `path` is replaced.

        Raises:
            CheckpointError: if the checkpoint lacks a variable.
            ExportExistsError: if something is at `path` that may not be replaced.
        """
        prefix = checkpoint.latest(os.fsdecode(checkpoint_path))
        entries = entries_in(prefix, [self._variant], lambda name: self._state.scope + name)
        self._write(path, functools.partial(checkpoint.write, entries=entries), overwrite)

    def _write(
        self, path: str | os.PathLike[str], write_variables: Callable[[str], None], overwrite: bool
    ) -> None:
        self._warn_of_left_out_variables()
        self._spec.write(path, write_variables, overwrite)

    def _warn_of_left_out_variables(self) -> None:
        exported = self._variant.variable_names
        for tags in self._spec.get_tags():
            if left_out := sorted(self._spec.variant(tags).variable_names - exported):
                _logger.warning(
                    "Module '%s' has graph variant %s, whose variables %s have no values in graph "
                    "variant %s. What is exported will lack them: the other variant cannot be "
                    "loaded from it.",
                    self._name,
                    sorted(tags),
                    left_out[:5],
                    sorted(self._variant.tags),
                )


def as_spec(spec: ModuleSpec | str | os.PathLike[str]) -> ModuleSpec:
    """The ModuleSpec itself, or the one that a handle names.

    Raises:
        ModuleDefinitionError: if it is neither.
        as load_module_spec(), if it is a handle.
    """
    if isinstance(spec, ModuleSpec):
        return spec
    if isinstance(spec, (str, os.PathLike)):
        return load_module_spec(spec)
    raise ModuleDefinitionError(
        f"Unknown module spec type: {type(spec)}. Pass a hub.ModuleSpec or a handle, a string."
    )

"""hub.Module, which puts a module into a graph."""

from __future__ import annotations

import functools
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import tensorflow as tf
from google.protobuf.message import Message

from hubmodule.errors import GraphError
from hubmodule.format import checkpoint
from hubmodule.format.signatures import TensorInfo
from hubmodule.module import values
from hubmodule.module.apply_graph import add_application
from hubmodule.module.loading import convert_to_spec
from hubmodule.module.saving import CheckpointWriter
from hubmodule.module.spec import (
    ModuleSpec,
    get_variant,
    read_checkpoint,
    read_entries,
    write_module,
)
from hubmodule.module.state_graph import Variable, build_state
from hubmodule.surgery import partitions

M = TypeVar("M", bound=Message)

_logger = logging.getLogger("hubmodule")

# More applications than this are likely a loop that should run one application many times.
_MANY_APPLICATIONS = 100


class Module:
    """A module in the default graph: its variables are added once, and it is applied by calls.

        >>> with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        ...     embed = hub.Module("modules/text")
        ...     vectors = embed(["a text", "another"])  # float32 of shape [2, N]
        ...     session.run(tf.compat.v1.global_variables_initializer())
        ...     session.run(tf.compat.v1.tables_initializer())
        ...     session.run(vectors).shape
        (2, 4)

    Inputs and outputs are those of the module's signatures, which get_signature_names(),
    get_input_info_dict() and get_output_info_dict() list: names, dtypes and shapes, of which the
    first dimension usually is the batch. A call takes the value of the only input, or a dict, and
    returns the output "default"; `as_dict=True` returns all outputs by name:

        >>> with tf.Graph().as_default():
        ...     module = hub.Module("modules/text", name="encoder")
        ...     outputs = module({"sentences": ["a text"]}, signature="default", as_dict=True)
        >>> module.get_input_info_dict()
        {'sentences': <hub.TensorInfo dense shape=(None,) dtype=string>}
        >>> list(outputs), [variable.name for variable in module.variables]
        (['default'], ['encoder/embeddings:0'])

    To train the module, pass `trainable=True`, and the tags of the graph variant for training if
    there is one. The loss and the step are those of any graph; run the update ops, which only
    modules with batch normalisation have, with the step. `export` publishes what was learnt:

        >>> with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        ...     module = hub.Module("modules/text", trainable=True, tags={"train"})
        ...     loss = tf.reduce_mean(tf.square(module(["a text"]) - 1.0))
        ...     loss += tf.compat.v1.losses.get_regularization_loss()
        ...     updates = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.UPDATE_OPS)
        ...     with tf.control_dependencies(updates):
        ...         step = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss)
        ...     session.run(tf.compat.v1.global_variables_initializer())
        ...     session.run(tf.compat.v1.tables_initializer())
        ...     session.run(step)
        ...     module.export("modules/tuned", session)

    The constructor adds variables, tables and their initialisers under a new scope. For a
    module that was loaded from a handle, tf.compat.v1.global_variables_initializer() reads
    the trained values; tf.compat.v1.tables_initializer() fills the tables.

    Args:
        spec: A ModuleSpec, or the handle of a module.
        trainable: Whether to train the variables. If True, the constructor adds to the
            collections TRAINABLE_VARIABLES and REGULARIZATION_LOSSES, and each call adds to
            UPDATE_OPS.
        name: The name of the variable scope and name scope. If it is taken in the current
            scope, a number is appended.
        tags: The tags of the graph variant, e.g. {"train"}, which modules usually have for
            training; None means the variant without tags.

    Raises:
        CheckpointError: If a variable is missing in the module's checkpoint, or has another
            shape or type there.
        GraphError: If eager execution is enabled.
        HandleNotFoundError: If nothing exists at the handle.
        ModuleDefinitionError: If `spec` is neither a ModuleSpec nor a handle.
        ModuleFormatError: If the module is damaged, or in an unknown format.
        ModuleRefusedError: If HUBMODULE_AUDIT is "refuse", and the audit has findings.
        NoSuchVariantError: If no graph variant has these tags.
        NotAModuleError: If the handle is not that of a module.
        ScopeError: If the name scope is taken although the variable scope is free.
        UnregisteredOpsError: If every signature needs ops that are not registered in this
            process.
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
        self._spec = convert_to_spec(spec)
        self._trainable = trainable
        self._variant = get_variant(self._spec, tags)
        self._variant.check_usable()
        contents = read_checkpoint(self._spec)
        self._state = build_state(self._variant, contents, name, trainable)
        self._checkpoint_writer = CheckpointWriter(self._state, self._variant.variables)
        self._name = self._state.scope.rstrip("/").rpartition("/")[-1]
        self._applications: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<hub.Module {self._state.scope.rstrip('/')!r} of {self._spec!r}>"

    # In a tf.function or Dataset.map, AutoGraph would rewrite this package's code, without effect.
    @tf.autograph.experimental.do_not_convert
    def __call__(
        self,
        inputs: Any = None,
        _sentinel: None = None,
        signature: str | None = None,
        as_dict: bool | None = None,
    ) -> Any:
        """Applies the module: adds ops to the graph that compute its outputs from inputs.

        Args:
            inputs: The value of the only input, or a dict from the names of the inputs to
                their values; None if the signature has no inputs. A value is a tensor, a
                sparse or ragged tensor, or can be converted to one (a list, a NumPy array).
            signature: The name of the signature; None means "default".
            as_dict: Whether to return all outputs in a dict.

        Returns:
            The output "default"; with `as_dict`, a dict of all outputs by name.

        Raises:
            ColocationError: If colocation constraints of the module contradict each other
                with these inputs.
            GraphError: If the default graph is neither the graph that the module is in nor
                the graph of a function in it.
            NoSuchSignatureError: If no signature has this name.
            SignatureMismatchError: If an input is missing, unknown, or of another type or
                shape; or if there is no output "default" and `as_dict` is not set.
            UnregisteredOpsError: If the signature needs ops that are not registered in this
                process.
        """
        values.check_named(_sentinel)
        name = signature or "default"
        declared = self._variant.get_signature(name)
        given = values.name_inputs(declared.inputs, inputs, name)
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
        """The graph that the module's variables and tables are in."""
        return self._state.graph

    @property
    def variable_map(self) -> dict[str, Variable | list[Variable]]:
        """The variables by name in the module; a partitioned variable is a list of its slices."""
        variables = self._state.variables
        groups = partitions.group_by_full_name(v.definition for v in self._variant.variables)
        return {
            name: [variables[definition.variable_name] for definition in definitions]
            if partitions.is_slice(definitions[0])
            else variables[definitions[0].variable_name]
            for name, definitions in groups.items()
        }

    @property
    def variables(self) -> list[Variable]:
        """All variables, sorted by name, with each slice of a partitioned variable."""
        return sorted(self._state.variables.values(), key=lambda variable: variable.name)

    def get_signature_names(self) -> list[str]:
        """Returns the names of the signatures."""
        return self._spec.get_signature_names(self._variant.tags)

    def get_input_info_dict(self, signature: str | None = None) -> dict[str, TensorInfo]:
        """Describes the inputs of a signature, as ModuleSpec.get_input_info_dict does."""
        return self._spec.get_input_info_dict(signature, self._variant.tags)

    def get_output_info_dict(self, signature: str | None = None) -> dict[str, TensorInfo]:
        """Describes the outputs of a signature, as ModuleSpec.get_output_info_dict does."""
        return self._spec.get_output_info_dict(signature, self._variant.tags)

    def get_attached_message(
        self, key: str, message_type: type[M], required: bool = False
    ) -> M | None:
        """Returns a message that the author attached to the graph variant of the module.

        Arguments, return value and exceptions are those of ModuleSpec.get_attached_message.
        """
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
            path: The path of the directory to write. It appears when it is complete.
            session: A session of the module's graph in which the variables are initialised.
            overwrite: Whether to replace a module that is already at `path`.

        Raises:
            ExportExistsError: If there is something at `path` that may not be replaced.
            GraphError: If the session is of another graph.
            tf.errors.FailedPreconditionError: If a variable is not initialised.
        """
        if getattr(session, "graph", None) is not self.graph:
            raise GraphError(
                f"export() needs a session of the graph that the module is in, not {session!r}."
            )
        self._write(path, functools.partial(self._checkpoint_writer.write, session), overwrite)

    def export_from_checkpoint(
        self,
        path: str | os.PathLike[str],
        checkpoint_path: str | os.PathLike[str],
        overwrite: bool = False,
    ) -> None:
        """Writes the module with values from a checkpoint of the program that uses it.

        It needs no session, and has one variable at a time in memory. All graph variants are
        written.

        Args:
            path: The path of the directory to write. It appears when it is complete.
            checkpoint_path: The path prefix of a checkpoint in which the module's variables
                have the names that they have in this graph, or a directory, of which the
                newest checkpoint is taken.
            overwrite: Whether to replace a module that is already at `path`.

        Raises:
            CheckpointError: If a variable is missing in the checkpoint, or has another shape
                or type there.
            ExportExistsError: If there is something at `path` that may not be replaced.
        """
        prefix = checkpoint.find_latest(os.fsdecode(checkpoint_path))
        entries = read_entries(prefix, [self._variant], lambda name: self._state.scope + name)
        self._write(path, functools.partial(checkpoint.write, entries=entries), overwrite)

    def _write(
        self, path: str | os.PathLike[str], write_variables: Callable[[str], None], overwrite: bool
    ) -> None:
        self._warn_of_left_out_variables()
        write_module(self._spec, path, write_variables, overwrite)

    def _warn_of_left_out_variables(self) -> None:
        exported = self._variant.variable_names
        for tags in self._spec.get_tags():
            if left_out := sorted(get_variant(self._spec, tags).variable_names - exported):
                _logger.warning(
                    "Module '%s' has graph variant %s, whose variables %s have no values in graph "
                    "variant %s. What is exported will lack them: the other variant cannot be "
                    "loaded from it.",
                    self._name,
                    sorted(tags),
                    left_out[:5],
                    sorted(self._variant.tags),
                )

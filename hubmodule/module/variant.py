"""One graph variant of a spec, and everything derived from its MetaGraphDef, cached."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from hubmodule.errors import (
    HubModuleError,
    ModuleFormatError,
    NoSuchSignatureError,
    NoSuchVariantError,
    UnregisteredOpsError,
)
from hubmodule.format import attachments
from hubmodule.format.signatures import TensorInfo
from hubmodule.surgery import (
    collections,
    colocation,
    partitions,
    portability,
    registration,
    state,
)
from hubmodule.surgery.names import get_op_name
from hubmodule.surgery.prune import GraphIndex, Subgraph, remove_control_inputs_in_place

# The length of an error of TensorFlow in a message; TensorFlow may print a whole op.
_MOST_CHARACTERS = 600


def choose_tags(tags: Iterable[str] | None, known: Iterable[frozenset[str]]) -> frozenset[str]:
    """Returns the tags of the graph variant that a caller selects.

    Args:
        tags: Tags that the caller passed, e.g. {"train"}; a string means one tag, None means
            the variant without tags.
        known: The set of tags of each graph variant of the module.

    Raises:
        NoSuchVariantError: If no graph variant has these tags; the message lists them.
    """
    wanted = frozenset([tags] if isinstance(tags, str) else tags or ())
    if wanted not in (known := list(known)):
        raise NoSuchVariantError(
            f"No such graph variant: tags={sorted(wanted)}. The module has the variants "
            f"{[sorted(each) for each in known]}; pass one of them as `tags`."
        )
    return wanted


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of a signature by name."""

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]


@dataclass(frozen=True)
class Template:
    """A subgraph of a variant, ready to be moved under a scope and imported.

    Attributes:
        graph_def: The nodes of the subgraph, with their names in the module.
        subgraph: The names of the ops, and of the tensors and ops outside that they read.
        control_inputs: The names of replaced ops that nodes have as control inputs.
        anchors: The names of replaced ops that nodes are colocated with.
        update_ops: The names of the ops that go to the collection UPDATE_OPS.
    """

    graph_def: tf.compat.v1.GraphDef
    subgraph: Subgraph
    control_inputs: frozenset[str]
    anchors: frozenset[str]
    update_ops: tuple[str, ...] = ()


class Variant:
    """A graph variant.

    Args:
        tags: Tags of the graph variant, e.g. {"train"}.
        meta_graph: The graph. It must not change afterwards. Asset constants hold the paths
            of files.
        origin: The path of the module, or the name of the function that built it, for error
            messages.
    """

    def __init__(self, tags: frozenset[str], meta_graph: MetaGraphDef, origin: str = "the module"):
        self.tags = tags
        self.meta_graph = meta_graph
        self.origin = origin
        self._states: dict[tuple[bool, bool], Template] = {}
        self._applications: dict[tuple[str, bool], Template] = {}

    @contextlib.contextmanager
    def explain_errors(self) -> Iterator[None]:
        """Raises ModuleFormatError for any error of a block that reads only the module."""
        try:
            yield
        except ModuleFormatError as error:
            if self.origin in error.message:
                raise
            raise ModuleFormatError(
                f"Graph variant {sorted(self.tags)} of {self.origin} is damaged. {error.message}"
            ) from error
        except HubModuleError:
            raise
        except Exception as error:
            raise self.make_damage_error("cannot be read", error) from error

    def make_damage_error(self, how: str, error: Exception) -> ModuleFormatError:
        """Makes the error that says that the graph variant is damaged.

        Args:
            how: What failed, as in "cannot be read".
            error: The exception that TensorFlow or Python raised.
        """
        text = str(error)
        if isinstance(error, KeyError):
            text = str(error.args[0])
            text = text if " " in text else f"'{text}' is not in its graph."
        if len(text) > _MOST_CHARACTERS:
            text = f"{text[:_MOST_CHARACTERS]}..."
        writer = self.meta_graph.meta_info_def.tensorflow_version or "an unknown version"
        return ModuleFormatError(
            f"Graph variant {sorted(self.tags)} of {self.origin} {how}: {text} The module is "
            f"damaged, or needs another TensorFlow: it was written with {writer}, and this is "
            f"{tf.__version__}. Fetch the module again, or export it anew."
        )

    @functools.cached_property
    def signatures(self) -> dict[str, Signature]:
        """The signatures by name."""
        with self.explain_errors():
            return {
                name: Signature(
                    {key: TensorInfo(info) for key, info in sorted(proto.inputs.items())},
                    {key: TensorInfo(info) for key, info in sorted(proto.outputs.items())},
                )
                for name, proto in sorted(self.meta_graph.signature_def.items())
            }

    def get_signature(self, name: str | None) -> Signature:
        """Returns a signature.

        Args:
            name: The name of the signature; None means "default".

        Raises:
            NoSuchSignatureError: If no signature has this name; the message lists them.
        """
        name = name or "default"
        if name not in self.signatures:
            raise NoSuchSignatureError(
                f"Signature '{name}' is not in graph variant {sorted(self.tags)} of the module; "
                f"its signatures are {sorted(self.signatures)}."
            )
        return self.signatures[name]

    @functools.cached_property
    def attachments(self) -> dict[str, bytes]:
        """The attached messages by key, as serialized protocol buffers."""
        return attachments.read(self.meta_graph)

    @functools.cached_property
    def _local(self) -> MetaGraphDef:
        """The MetaGraphDef as this TensorFlow imports it; state ops have no inputs."""
        local = portability.prepare_for_this_tensorflow(self.meta_graph)
        state.clear_inputs_in_place(local.graph_def)
        return local

    @functools.cached_property
    def index(self) -> GraphIndex:
        """The nodes by name, and their connections."""
        with self.explain_errors():
            return GraphIndex(self._local)

    @functools.cached_property
    def state_ops(self) -> frozenset[str]:
        """The names of the ops that a graph has once, however often the module is applied.

        These are the ops that hold state, and the constants with the paths of assets:
        TensorFlow finds the assets of an exported program by these constants, so each must
        exist once.
        """
        state_nodes = {node.name for node in state.find_state_nodes(self.index.graph_def.node)}
        assets = collections.list_names(self.meta_graph, collections.ASSET_FILEPATHS)
        return frozenset(state_nodes | {get_op_name(tensor) for tensor in assets})

    @functools.cached_property
    def state_tensors(self) -> frozenset[str]:
        """The outputs of the state ops; applications read them from the state graph."""
        return frozenset(f"{op}:0" for op in self.state_ops)

    @functools.cached_property
    def variables(self) -> list[state.VariableState]:
        """The variables, in the order of their collection."""
        with self.explain_errors():
            definitions = collections.read_variable_defs(self.meta_graph, collections.VARIABLES)
            return [self._make_variable(definition) for definition in definitions]

    def _make_variable(self, definition: VariableDef) -> state.VariableState:
        node = self.index.nodes.get(get_op_name(definition.variable_name))
        if node is None:
            raise ModuleFormatError(
                f"The graph lacks the op of the variable '{definition.variable_name}'. Fetch the "
                "module again."
            )
        try:
            return state.make_variable_state(definition, node)
        except (TypeError, ValueError) as error:
            raise ModuleFormatError(
                f"Variable '{definition.variable_name}' has a data type or shape that TensorFlow "
                f"{tf.__version__} does not know: {error} Fetch the module again."
            ) from error

    @functools.cached_property
    def variable_names(self) -> frozenset[str]:
        """The names of the variables in a checkpoint; slices of a variable share one name."""
        with self.explain_errors():
            definitions = collections.read_variable_defs(self.meta_graph, collections.VARIABLES)
        return frozenset(map(partitions.get_full_name, definitions))

    def list_variable_names(self, key: str) -> set[str]:
        """Returns the names of the variables in a collection."""
        return {d.variable_name for d in collections.read_variable_defs(self.meta_graph, key)}

    def get_state_template(self, trainable: bool, restored: bool) -> Template:
        """Returns the template of the state and its initialisers.

        Args:
            trainable: Whether to add the ops that the regularisation losses need.
            restored: Whether to leave out the author's initialisers of variables, because
                the values come from a checkpoint.

        Raises:
            UnregisteredOpsError: If this process does not know an op.
        """
        key = (trainable, restored)
        if key not in self._states:
            with self.explain_errors():
                self._states[key] = self._make_state_template(*key)
        return self._states[key]

    def _make_state_template(self, trainable: bool, restored: bool) -> Template:
        roots = set(self.state_ops)
        for variable in self.variables:
            definition = variable.definition
            roots.add(variable.snapshot)
            if not restored:
                roots.add(definition.initializer_name)
                roots.update(filter(None, [definition.initial_value_name]))
        roots.update(collections.list_names(self.meta_graph, collections.TABLE_INITIALIZERS))
        if trainable:
            roots.update(collections.list_names(self.meta_graph, collections.REGULARIZATION_LOSSES))
        return self._make_template(self._find_needed(roots))

    def get_application_template(self, signature: str, trainable: bool) -> Template:
        """Returns the template of the ops that compute the outputs of a signature.

        Args:
            signature: The name of the signature.
            trainable: Whether to add the update ops. An update op that needs an input of
                another signature is left out, as it could not be run.

        Raises:
            NoSuchSignatureError: If no signature has this name.
            UnregisteredOpsError: If this process does not know an op.
        """
        key = (signature, trainable)
        if key not in self._applications:
            with self.explain_errors():
                self._applications[key] = self._make_application_template(*key)
        return self._applications[key]

    def check_usable(self) -> None:
        """Checks that this process knows all ops of at least one signature.

        Raises:
            UnregisteredOpsError: If every signature needs an unknown op.
        """
        if not registration.find_unregistered_ops(self.index.graph_def):
            return
        failure = None
        for name in self.signatures:
            try:
                self.get_application_template(name, trainable=False)
            except UnregisteredOpsError as error:
                failure = error
            else:
                return
        if failure is not None:
            raise failure

    def _make_application_template(self, name: str, trainable: bool) -> Template:
        signature = self.get_signature(name)
        fed = {tensor for info in signature.inputs.values() for tensor in info.tensor_names}
        replaced = fed | self.state_tensors
        replaced_ops = {get_op_name(tensor) for tensor in fed} | self.state_ops
        roots = [tensor for info in signature.outputs.values() for tensor in info.tensor_names]
        updates: list[str] = []
        if trainable:
            updates = collections.list_names(self.meta_graph, collections.UPDATE_OPS)
        subgraph = self._find_needed([*roots, *updates], replaced, replaced_ops)
        empty = [op for op in subgraph.ops if self.index.nodes[op].op == "Placeholder"]
        if updates and empty:
            starved = self.index.find_dependents(empty, subgraph, replaced)
            updates = [u for u in updates if get_op_name(u) not in starved]
            subgraph = self._find_needed([*roots, *updates], replaced, replaced_ops)
        return self._make_template(subgraph, tuple(updates), replaced_ops)

    def _find_needed(
        self,
        roots: Iterable[str],
        replaced: Collection[str] = (),
        replaced_ops: Collection[str] = (),
    ) -> Subgraph:
        try:
            return self.index.find_needed(roots, replaced, replaced_ops)
        except KeyError as error:
            op = error.args[0]
            raise ModuleFormatError(
                f"{self._find_referrer(op)} refers to op '{op}', which is not in the graph. Fetch "
                "the module again."
            ) from error

    def _find_referrer(self, op: str) -> str:
        for name, node in self.index.nodes.items():
            if op in map(get_op_name, node.input):
                return f"Op '{name}'"
        return "A signature or collection"

    def _make_template(
        self, subgraph: Subgraph, updates: tuple[str, ...] = (), replaced_ops: Collection[str] = ()
    ) -> Template:
        graph_def = self.index.extract(subgraph.ops)
        registration.check_registered(graph_def, self.tags)
        graph_def = colocation.drop_dead_constraints(graph_def, self.index.nodes, replaced_ops)
        # State exists before the application, so nothing needs to wait for it.
        remove_control_inputs_in_place(graph_def, subgraph.controls & self.state_ops)
        anchors = {op for node in graph_def.node for op in colocation.find_colocated_ops(node)}
        return Template(
            graph_def,
            subgraph,
            subgraph.controls - self.state_ops,
            frozenset(anchors.intersection(replaced_ops)),
            updates,
        )

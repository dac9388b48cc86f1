"""create_module_spec, which makes a ModuleSpec from a function, and what this function calls."""

from __future__ import annotations

import contextlib
import logging
import re
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf
from google.protobuf.message import Message
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef

from hubmodule import _tf
from hubmodule.errors import ModuleDefinitionError
from hubmodule.format import assets, attachments, signatures
from hubmodule.module.spec import ModuleSpec
from hubmodule.module.variant import Variant
from hubmodule.surgery import collections, colocation, portability

_logger = logging.getLogger("hubmodule")

_SUPPORTED_TYPES = (tf.Tensor, tf.SparseTensor, tf.RaggedTensor)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass
class _Definition:
    """The signatures and messages that a module_fn has declared so far."""

    graph: tf.Graph
    signatures: dict[str, SignatureDef] = field(default_factory=dict)
    attachments: dict[str, bytes] = field(default_factory=dict)


# The key is the graph that a module_fn builds, because the threads that it starts share the graph.
_definitions: weakref.WeakKeyDictionary[tf.Graph, _Definition] = weakref.WeakKeyDictionary()


def create_module_spec(
    module_fn: Callable[..., None],
    tags_and_args: Iterable[tuple[Collection[str], Mapping[str, Any]]] | None = None,
    drop_collections: Iterable[str] | None = None,
) -> ModuleSpec:
    """Makes a ModuleSpec from a function that builds the module's graph.

        >>> def module_fn(training):
        ...     x = tf.compat.v1.placeholder(tf.float32, [None, 50])
        ...     w = tf.compat.v1.get_variable("w", [50, 10])
        ...     y = tf.matmul(x, w)
        ...     hub.add_signature(inputs=x, outputs=tf.nn.dropout(y, 0.5) if training else y)
        >>> spec = hub.create_module_spec(
        ...     module_fn,
        ...     tags_and_args=[(set(), {"training": False}), ({"train"}, {"training": True})],
        ... )
        >>> spec
        <hub.ModuleSpec of module_fn(), variants [[], ['train']]>

    Without `tags_and_args`, there is one variant, and `module_fn` has no arguments.

    Args:
        module_fn: A function that adds ops to the default graph and calls
            hub.add_signature() at least once. It is called once for each graph variant, in
            a new tf.Graph, where variables are resource variables by default.
        tags_and_args: A pair for each graph variant: its tags, e.g. {"train"}, and the
            keyword arguments for `module_fn`. None and [] mean one variant without tags,
            for which `module_fn` is called without arguments.
        drop_collections: Names of graph collections to drop, for example those that a module
            cannot carry.

    Returns:
        The spec. hub.Module(spec) puts it into a graph; its export() methods write it.

    Raises:
        ColocationError: If the input of a signature is colocated with another op, or if a
            variable or table is colocated with an op that is not a variable or table.
        ModuleDefinitionError: If `module_fn` adds no signature, if two variants have the same
            tags, or if the graph has collections that a module cannot carry.
    """
    variants: dict[frozenset[str], Variant] = {}
    for tags, args in list(tags_and_args or ()) or [((), {})]:
        key = frozenset([tags] if isinstance(tags, str) else tags)
        if key in variants:
            raise ModuleDefinitionError(
                f"Tags {sorted(key)} are used repeatedly; each graph variant needs its own."
            )
        variants[key] = _build_variant(module_fn, key, args, set(drop_collections or ()))
    name = getattr(module_fn, "__name__", "module_fn")
    return ModuleSpec(list(variants.values()), None, f"{name}()")


def add_signature(name: str | None = None, inputs: Any = None, outputs: Any = None) -> None:
    """Declares a signature of the module that a module_fn builds.

        >>> def module_fn():
        ...     ids = tf.compat.v1.placeholder(tf.int64, [None], name="ids")
        ...     table = tf.compat.v1.get_variable("table", [10, 4])
        ...     hub.add_signature(inputs={"ids": ids}, outputs=tf.gather(table, ids))
        ...     hub.add_signature("all", inputs=None, outputs={"vectors": tf.identity(table)})
        >>> hub.create_module_spec(module_fn).get_signature_names()
        ['all', 'default']

    Outside of hub.create_module_spec(), this only checks its arguments. So a program can also
    call a module_fn in a graph of its own, to train or to test what it builds.

    Args:
        name: The name of the signature; None means "default". A signature replaces one
            that was added under the same name before.
        inputs: A dict from names to tensors, sparse tensors or ragged tensors; a single
            value is named "default"; None means no inputs. They need not be placeholders:
            when the module is applied, the caller's values replace these tensors.
        outputs: A dict from names to tensors, sparse tensors or ragged tensors; a single
            value is named "default"; None means no outputs.

    Raises:
        ModuleDefinitionError: If an input or output has another type, is an eager tensor, or
            is not in the graph that `module_fn` builds.
    """
    name = name or "default"
    named_inputs, named_outputs = _name_values(inputs), _name_values(outputs)
    _check_types(name, named_inputs, named_outputs)
    tensors = tf.nest.flatten(
        [*named_inputs.values(), *named_outputs.values()], expand_composites=True
    )
    _check_not_eager(name, tensors)
    definition = _get_definition_under_construction()
    if definition is None:
        return
    _check_graphs(name, definition.graph, tensors)
    if name in definition.signatures:
        _logger.warning("Signature '%s' is added again; it replaces the one before.", name)
    definition.signatures[name] = signatures.make_signature_def(named_inputs, named_outputs)


def attach_message(key: str, message: Message) -> None:
    """Attaches a message to the module that a module_fn builds.

        >>> from google.protobuf import struct_pb2
        >>> def module_fn():
        ...     x = tf.compat.v1.placeholder(tf.float32, [None])
        ...     hub.add_signature(inputs=x, outputs=2 * x)
        ...     hub.attach_message("author", struct_pb2.Value(string_value="A. Author"))
        >>> spec = hub.create_module_spec(module_fn)
        >>> spec.get_attached_message("author", struct_pb2.Value).string_value
        'A. Author'

    Outside of hub.create_module_spec(), this only checks its arguments.

    Args:
        key: The key under which ModuleSpec.get_attached_message() finds the message: letters,
            digits and underscores, not beginning with a digit. A message replaces one that was
            attached under the same key before.
        message: A protocol buffer message. Its content is copied.

    Raises:
        ModuleDefinitionError: If the key is not an identifier.
    """
    if not isinstance(key, str) or not _IDENTIFIER.fullmatch(key):
        raise ModuleDefinitionError(
            f"hub.attach_message() called with malformed key {key!r}: use letters, digits and "
            "underscores, and no digit first."
        )
    serialized = message.SerializeToString(deterministic=True)
    definition = _get_definition_under_construction()
    if definition is not None:
        definition.attachments[key] = serialized


def _get_definition_under_construction() -> _Definition | None:
    """Returns the definition that calls in the default graph add to, if there is one.

    A module_fn may itself build other graphs, whose signatures are not the module's.
    """
    graph = tf.compat.v1.get_default_graph()
    while graph not in _definitions and _tf.is_function_graph(graph):
        graph = graph.outer_graph
    return _definitions.get(graph)


def _name_values(values: Any) -> dict[str, Any]:
    if values is None:
        return {}
    return dict(values) if isinstance(values, Mapping) else {"default": values}


def _check_types(name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    wrong = [
        f"{kind} '{key}' has type {type(value).__name__}"
        for kind, values in (("input", inputs), ("output", outputs))
        for key, value in values.items()
        if not isinstance(value, _SUPPORTED_TYPES)
    ]
    if wrong:
        raise ModuleDefinitionError(
            f"The inputs and outputs of signature '{name}' must be of the types Tensor, "
            f"SparseTensor or RaggedTensor: {'; '.join(wrong)}. Convert them, for example by "
            "tf.convert_to_tensor()."
        )


def _check_not_eager(name: str, tensors: Sequence[tf.Tensor]) -> None:
    for tensor in tensors:
        if not tf.is_symbolic_tensor(tensor):
            raise ModuleDefinitionError(
                f"The tensor {tensor!r} in signature '{name}' is an eager tensor, which belongs to "
                "no graph. Call the module_fn by hub.create_module_spec(), or under 'with "
                "tf.Graph().as_default():'."
            )


def _check_graphs(name: str, graph: tf.Graph, tensors: Sequence[tf.Tensor]) -> None:
    for tensor in tensors:
        if tensor.graph is not graph:
            raise ModuleDefinitionError(
                f"Tensor {tensor!r} in signature '{name}' is not in the graph that module_fn "
                "builds: create it inside of module_fn, and outside of tf.function."
            )


def _build_variant(
    module_fn: Callable[..., None],
    tags: frozenset[str],
    args: Mapping[str, Any],
    dropped: set[str],
) -> Variant:
    with tf.Graph().as_default() as graph:
        definition = _Definition(graph)
        with (
            _collect_into(definition),
            tf.compat.v1.variable_scope(tf.compat.v1.get_variable_scope(), use_resource=True),
        ):
            module_fn(**args)
        if not definition.signatures:
            raise ModuleDefinitionError(
                "No signatures present. Call hub.add_signature(...) at least once in the module_fn."
            )
        for key in dropped & set(graph.get_all_collection_keys()):
            graph.clear_collection(key)
        variant = Variant(tags, _export_meta_graph(graph, tags, definition))
    _check_variant(variant)
    return variant


@contextlib.contextmanager
def _collect_into(definition: _Definition) -> Iterator[None]:
    _definitions[definition.graph] = definition
    try:
        yield
    finally:
        del _definitions[definition.graph]


def _export_meta_graph(
    graph: tf.Graph, tags: Iterable[str], definition: _Definition
) -> MetaGraphDef:
    # TensorFlow makes an empty collection when one is looked up.
    collections.check_supported(
        key for key in graph.get_all_collection_keys() if graph.get_collection_ref(key)
    )
    _check_assets(graph.get_collection(collections.ASSET_FILEPATHS))
    meta_graph = tf.compat.v1.train.export_meta_graph(graph=graph, strip_default_attrs=True)
    meta_graph.meta_info_def.tags.extend(sorted(tags))
    for name, signature in definition.signatures.items():
        meta_graph.signature_def[name].CopyFrom(signature)
    attachments.write_in_place(meta_graph, definition.attachments)
    return portability.prepare_for_older_tensorflow(meta_graph)


def _check_assets(elements: Sequence[Any]) -> None:
    # TensorFlow would leave out the whole collection, and the files would not be published.
    strays = [element for element in elements if not isinstance(element, tf.Tensor)]
    if strays:
        raise ModuleDefinitionError(
            f"Collection '{collections.ASSET_FILEPATHS}' has {strays[0]!r}, which is not a tensor. "
            "Add the tf.constant() with the path, by which the graph reads the file."
        )


def _check_variant(variant: Variant) -> None:
    """Checks colocation and assets, for which the whole graph is needed."""
    inputs = {
        name: [tensor for info in signature.inputs.values() for tensor in info.tensor_names]
        for name, signature in variant.signatures.items()
    }
    colocation.check_inputs(variant.index.nodes, inputs)
    colocation.check_state(variant.index.nodes, variant.state_ops)
    assets.find_sources(variant.meta_graph)

"""The dataclasses that describe a module, and their form as JSON.

`schema` is the version of the layout that `ModuleFacts.to_dict` writes and docs/inspecting.md
documents. A new field keeps the version; a field that changes or goes away raises it.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

SCHEMA = 1

# The size of each dimension, None if it is unknown; None instead of a tuple if the rank is unknown.
Shape = tuple[int | None, ...] | None

# The dtype where a damaged module does not state one.
UNKNOWN_DTYPE = "unknown"

# The method that calls an object itself.
CALL_METHOD = "__call__"


class ModuleFormat(str, enum.Enum):
    """The kind of SavedModel in a directory."""

    TF1_HUB = "TF1 Hub format"
    TF1_SAVED_MODEL = "TF1 SavedModel"
    TF2_SAVED_MODEL = "TF2 SavedModel"


@dataclasses.dataclass(frozen=True)
class TensorFacts:
    """An input or output of a signature.

    Attributes:
        name: Its name in the signature.
        dtype: The name of the type of its values, e.g. "float32", or "unknown".
        shape: Its static shape.
        kind: "dense", "sparse" or "composite" (of several tensors, as ragged tensors are).
        type: The type of a composite value, e.g. "RaggedTensorSpec"; None for the other kinds.
        ragged_rank: The number of ragged dimensions of a ragged tensor; None for other tensors.
    """

    name: str
    dtype: str
    shape: Shape
    kind: str = "dense"
    type: str | None = None
    ragged_rank: int | None = None


@dataclasses.dataclass(frozen=True)
class SignatureFacts:
    """A signature.

    Attributes:
        name: Its name.
        inputs: Its inputs, sorted by name.
        outputs: Its outputs, sorted by name.
    """

    name: str
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]


@dataclasses.dataclass(frozen=True)
class TableFacts:
    """A lookup table.

    Attributes:
        name: The name of its op.
        op: The type of its op, e.g. "HashTableV2".
        key_dtype: The name of the type of its keys; None if the op does not state it.
        value_dtype: The name of the type of its values; None if the op does not state it.
        asset: The name of the asset that it is filled from; None if there is none.
    """

    name: str
    op: str
    key_dtype: str | None
    value_dtype: str | None
    asset: str | None


@dataclasses.dataclass(frozen=True)
class MessageFacts:
    """A message attached to a graph variant.

    Attributes:
        key: The key under which it is attached.
        bytes: The size of the serialised message in bytes.
        sha256: The SHA-256 digest of the serialised message.
        content: Name of a field -> its value, for a message of a known type; None for others.
    """

    key: str
    bytes: int
    sha256: str
    content: dict[str, int] | None = None


@dataclasses.dataclass(frozen=True)
class VariantFacts:
    """A graph variant.

    Attributes:
        tags: Its tags, sorted; empty for the default variant of a module.
        tensorflow_version: The version of TensorFlow that wrote it; "" if none is stated.
        hubmodule_version: The version of hubmodule that wrote it; None if another program did.
        nodes: The number of nodes of the graph itself.
        functions: The number of functions.
        function_nodes: The number of nodes in all functions.
        signatures: Its signatures, sorted by name.
        tables: Its lookup tables.
        messages: The messages attached to it, sorted by key.
        update_ops: The names of the ops that a training step has to run as well.
        regularization_losses: The names of the tensors to add to a loss.
        op_counts: Type of op -> how many there are, those in functions included.
    """

    tags: tuple[str, ...]
    tensorflow_version: str
    hubmodule_version: str | None
    nodes: int
    functions: int
    function_nodes: int
    signatures: tuple[SignatureFacts, ...]
    tables: tuple[TableFacts, ...]
    messages: tuple[MessageFacts, ...]
    update_ops: tuple[str, ...]
    regularization_losses: tuple[str, ...]
    op_counts: dict[str, int]


@dataclasses.dataclass(frozen=True)
class VariableFacts:
    """A variable.

    Attributes:
        name: Its name in the checkpoint of a TF1 module, or in the object graph of a TF2
            SavedModel.
        dtype: The name of the type of its values.
        shape: Its static shape; of a partitioned variable, that of the whole.
        bytes: The size of its value in bytes; None if it is not known.
        variants: The tags of each graph variant that has it.
        trainable_in: The tags of each graph variant in which it is trainable.
        partitions: The number of parts that it is stored in; 1 if it is whole.
        digest: A checksum of the stored value in hexadecimal, which differs if the value
            differs: TensorFlow's masked CRC-32C; of a partitioned variable, the checksums of
            its parts joined by "-". None if no value is stored.
        key: Its name in the checkpoint; "" if it has none.
    """

    name: str
    dtype: str
    shape: Shape
    bytes: int | None
    variants: tuple[tuple[str, ...], ...]
    trainable_in: tuple[tuple[str, ...], ...]
    partitions: int
    digest: str | None
    key: str = ""


@dataclasses.dataclass(frozen=True)
class AssetFacts:
    """A file in assets/.

    Attributes:
        name: Its path below assets/.
        bytes: Its size in bytes.
        sha256: The SHA-256 digest of its content.
    """

    name: str
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class ForeignOp:
    """A type of op that TensorFlow itself does not register.

    Attributes:
        op: The type of the op.
        package: The package to import before the module is used; None if it is not known.
    """

    op: str
    package: str | None


@dataclasses.dataclass(frozen=True)
class Argument:
    """An argument of a call, or its result: a structure of tensors and constants.

    Attributes:
        name: The name of the argument; "" if it has none.
        layout: The structure in Python's notation, with "tensor" in the place of each tensor.
        tensors: The tensors, in their order.
        is_optional: Whether it is a constant that is the default.
    """

    name: str
    layout: str
    tensors: tuple[TensorFacts, ...]
    is_optional: bool = False


@dataclasses.dataclass(frozen=True)
class Call:
    """A way to call the root object of a TF2 SavedModel, or one of its methods.

    Attributes:
        arguments: The arguments, written as in a Python function definition.
        outputs: The result, in the same notation.
        inputs: The tensors among the arguments, in their order.
        method: The name of the method; "__call__" if the object itself is called.
        parameters: The arguments, in their order.
        result: The result.
    """

    arguments: str
    outputs: str
    inputs: tuple[TensorFacts, ...]
    method: str = CALL_METHOD
    parameters: tuple[Argument, ...] = ()
    result: Argument = Argument("", "None", ())


@dataclasses.dataclass(frozen=True)
class Conformance:
    """How a module compares with a common signature.

    Attributes:
        name: "text feature vector", "image feature vector" or "image classification".
        fulfilled: Whether the module fulfils it.
        missing: What would have to change, a sentence each; empty if it is fulfilled.
    """

    name: str
    fulfilled: bool
    missing: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Usage:
    """Code that uses the module.

    Attributes:
        way: "graph mode", "Estimator column", "Keras" or "load".
        code: Lines of Python to paste.
    """

    way: str
    code: str


@dataclasses.dataclass(frozen=True)
class FindingFacts:
    """Something that a module can do beyond computing.

    Attributes:
        level: "high" or "medium".
        op: The type of the op.
        node: The name of the node.
        reason: What the op does, and the names that it uses, as sentences.
    """

    level: str
    op: str
    node: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Sizes:
    """The sizes of a module's files.

    Attributes:
        graph: The size of saved_model.pb in bytes.
        variables: The size of all files in variables/ in bytes.
        assets: The size of all files in assets/ in bytes.
    """

    graph: int
    variables: int
    assets: int


@dataclasses.dataclass(frozen=True, repr=False)
class ModuleFacts:
    """A module, as its files describe it.

    Attributes:
        handle: The handle as it was given.
        path: The directory of the module.
        format: The kind of SavedModel.
        sizes: The sizes of its files.
        variants: Its graph variants.
        variables: Its variables, sorted by name.
        assets: Its assets, sorted by name.
        foreign_ops: Ops that need another package.
        calls: Ways to call the object that a TF2 SavedModel holds.
        methods: Ways to call the public methods of this object.
        common_signatures: Common signatures that it fulfils, or nearly fulfils.
        usage: Code for each way to use it.
        damage: What is damaged, a sentence each; empty if everything could be read.
        findings: What the module can do beyond computing, of level high or medium.
        schema: The version of this layout.
    """

    handle: str
    path: str
    format: ModuleFormat
    sizes: Sizes
    variants: tuple[VariantFacts, ...]
    variables: tuple[VariableFacts, ...]
    assets: tuple[AssetFacts, ...]
    foreign_ops: tuple[ForeignOp, ...]
    calls: tuple[Call, ...]
    common_signatures: tuple[Conformance, ...]
    usage: tuple[Usage, ...]
    damage: tuple[str, ...]
    findings: tuple[FindingFacts, ...] = ()
    methods: tuple[Call, ...] = ()
    schema: int = SCHEMA

    def __repr__(self) -> str:
        counts = [
            f"{count} {what}{'' if count == 1 else 's'}"
            for count, what in (
                (len(self.variants), "graph variant"),
                (len(self.variables), "variable"),
            )
        ]
        damaged = ", damaged" if self.damage else ""
        return f"<hub.inspect({self.handle!r}): {self.format.value}, {', '.join(counts)}{damaged}>"

    def to_dict(self) -> dict[str, Any]:
        """Converts the facts to dicts, lists, strings and numbers, for JSON."""
        return convert_to_plain(self)


def convert_to_plain(value: Any) -> Any:
    """Converts a value to what json.loads() returns for its JSON.

    Args:
        value: A value made of dataclasses, enums, dicts, tuples, lists, strings and numbers.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: convert_to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: convert_to_plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [convert_to_plain(item) for item in value]
    return value.value if isinstance(value, enum.Enum) else value

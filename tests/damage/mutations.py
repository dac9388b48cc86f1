"""Ways in which the files of a module get damaged, each drawn from a seed.

Bytes are flipped, cut off, put in and taken out, as disks and networks do it; and what the
files say is changed field by field, which no disk does, but an author with bad intentions.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf import control_flow_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef, MetaGraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

_INTEGERS = (0, 1, 2, 3, 7, 127, 1_000_000_000, 2**31 - 1, -1, -2, -(2**31))
_LONG_INTEGERS = (*_INTEGERS, 2**40, 2**62, 2**63 - 1, -(2**63))
_TEXTS = ("", "gone", "gone:0", "gone:1", ":", "^", "a b", "é", "/", "../..", "x" * 300)
_BYTES = (b"", b"\xff\xfe\x00", b"\x08", b"loc:@gone", b"x" * 300, b"\x0a\xff\xff\xff\xff\x0f")
_FLOATS = (0.0, -1.0, 1e38, float("inf"), float("nan"))
# Types that exist, references, a gap, and what no TensorFlow knows.
_ENUMS = (0, 1, 2, 3, 7, 9, 10, 14, 20, 21, 22, 24, 100, 101, 120, 200, 1_000_000_000, -1)

_IN_COLLECTIONS: dict[str, type[Message]] = {
    "variables": VariableDef,
    "trainable_variables": VariableDef,
    "model_variables": VariableDef,
    "while_context": control_flow_pb2.WhileContextDef,
    "cond_context": control_flow_pb2.CondContextDef,
}


def damage(directory: Path, seed: int) -> str:
    """Damages the copy of a module in place; returns what was done, for people to read."""
    random = Random(seed)
    name, change = random.choices(_CHANGES, weights=[weight for _, _, weight in _CHANGES])[0][:2]
    return f"{name}: {change(directory, random)}"


def _file_bytes(path: Path, random: Random) -> str:
    content = bytearray(path.read_bytes())
    kind = random.choice(["flip", "flip", "cut", "insert", "remove"])
    place = random.randrange(max(len(content), 1))
    if kind == "flip" and content:
        for _ in range(random.choice([1, 1, 2, 4])):
            content[random.randrange(len(content))] = random.randrange(256)
    elif kind == "cut":
        del content[place:]
    elif kind == "insert":
        content[place:place] = random.randbytes(random.choice([1, 4, 64]))
    else:
        del content[place : place + random.choice([1, 4, 64])]
    path.unlink()
    path.write_bytes(content)
    return f"{kind} at {place} of {path.name}"


def _graph_file(directory: Path, random: Random) -> str:
    return _file_bytes(directory / "saved_model.pb", random)


def _marker(directory: Path, random: Random) -> str:
    return _file_bytes(directory / "tfhub_module.pb", random)


def _other_file(directory: Path, random: Random) -> str:
    """Damages a file of the checkpoint, or an asset; or removes it."""
    paths = sorted(p for p in directory.rglob("*/*") if p.is_file())
    if not paths:
        return _graph_file(directory, random)
    path = random.choice(paths)
    if random.random() < 0.15:
        path.unlink()
        return f"removed {path.name}"
    if random.random() < 0.05:
        path.unlink()
        path.mkdir()
        return f"{path.name} is a directory"
    return _file_bytes(path, random)


def _in_proto(change: Callable[[MetaGraphDef, Random], str]) -> Callable[[Path, Random], str]:
    """A change to the graph of a variant, as a change to files."""

    def change_file(directory: Path, random: Random) -> str:
        path = directory / "saved_model.pb"
        saved_model = SavedModel.FromString(path.read_bytes())
        what = change(random.choice(saved_model.meta_graphs), random)
        path.unlink()
        path.write_bytes(saved_model.SerializeToString(deterministic=True))
        return what

    return change_file


def _any_field(message: Message, random: Random, path: str = "") -> str:
    """Changes one field of a message, or of one that it holds, in place."""
    fields = [field for field, _ in message.ListFields()]
    if not fields or random.random() < 0.04:
        return _new_field(message, random, path)
    field = random.choice(fields)
    path = f"{path}.{field.name}"
    value = getattr(message, field.name)
    if random.random() < 0.05:
        message.ClearField(field.name)
        return f"{path} cleared"
    if _is_map(field):
        return _map_entry(field, value, random, path)
    if field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED:
        return _element(field, value, random, path)
    if field.message_type:
        return _any_field(value, random, path)
    new = _scalar(field, value, random)
    setattr(message, field.name, new)
    return f"{path} = {new!r:.60}"


def _new_field(message: Message, random: Random, path: str) -> str:
    single = [
        field
        for field in message.DESCRIPTOR.fields
        if not field.message_type
        and not (
            field.is_repeated
            if hasattr(field, "is_repeated")
            else field.label == field.LABEL_REPEATED
        )
    ]
    if not single:
        return f"{path} untouched"
    field = random.choice(single)
    new = _scalar(field, None, random)
    setattr(message, field.name, new)
    return f"{path}.{field.name} = {new!r:.60} (new)"


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def _map_entry(field: FieldDescriptor, value: Any, random: Random, path: str) -> str:
    key = random.choice(sorted(value))
    value_field = field.message_type.fields_by_name["value"]
    if random.random() < 0.15:
        del value[key]
        return f"{path}[{key!r}] removed"
    if value_field.message_type:
        return _any_field(value[key], random, f"{path}[{key!r}]")
    value[key] = _scalar(value_field, value[key], random)
    return f"{path}[{key!r}] = {value[key]!r:.60}"


def _element(field: FieldDescriptor, value: Any, random: Random, path: str) -> str:
    index = random.randrange(len(value))
    kind = random.random()
    if kind < 0.1:
        del value[index]
        return f"{path}[{index}] removed"
    if kind < 0.2:
        value.append(value[index])
        return f"{path}[{index}] repeated"
    if field.message_type:
        return _any_field(value[index], random, f"{path}[{index}]")
    value[index] = _scalar(field, value[index], random)
    return f"{path}[{index}] = {value[index]!r:.60}"


def _scalar(field: FieldDescriptor, value: Any, random: Random) -> Any:
    kinds = FieldDescriptor
    if field.type == kinds.TYPE_ENUM:
        return random.choice(_ENUMS)
    if field.cpp_type == kinds.CPPTYPE_BOOL:
        return not value
    if field.cpp_type in (kinds.CPPTYPE_INT32, kinds.CPPTYPE_INT64):
        choices = _INTEGERS if field.cpp_type == kinds.CPPTYPE_INT32 else _LONG_INTEGERS
        return random.choice([*choices, min((value or 0) + 1, 2**31 - 1)])
    if field.cpp_type in (kinds.CPPTYPE_UINT32, kinds.CPPTYPE_UINT64):
        return random.choice([number for number in _INTEGERS if number >= 0])
    if field.cpp_type in (kinds.CPPTYPE_FLOAT, kinds.CPPTYPE_DOUBLE):
        return random.choice(_FLOATS)
    if field.type == kinds.TYPE_BYTES:
        return random.choice([*_BYTES, (value or b"")[:-1], (value or b"") + b"\0"])
    return random.choice([*_TEXTS, (value or "")[:-1], (value or "") + "_1"])


def _anything(meta_graph: MetaGraphDef, random: Random) -> str:
    return _any_field(meta_graph, random)


def _nodes(meta_graph: MetaGraphDef, random: Random) -> Any:
    """The nodes of the graph, or of one of its functions."""
    functions = [f for f in meta_graph.graph_def.library.function if f.node_def]
    if functions and random.random() < 0.4:
        return random.choice(functions).node_def
    return meta_graph.graph_def.node


def _node(meta_graph: MetaGraphDef, random: Random) -> str:
    """Changes a node, or how nodes are connected."""
    nodes = _nodes(meta_graph, random)
    if not nodes:
        return "no nodes"
    node, other = random.choice(nodes), random.choice(nodes)
    kind = random.choice(
        ["any", "any", "twin", "same name", "input", "cycle", "op", "gone", "more"]
    )
    if kind == "any":
        return _any_field(node, random, f"node {node.name}")
    if kind == "twin":
        nodes.append(node)
    elif kind == "same name":
        node.name = other.name
    elif kind == "input":
        reference = random.choice(
            [f"{other.name}:9", "gone", "^gone", node.name, f"{other.name}:x"]
        )
        if node.input:
            node.input[random.randrange(len(node.input))] = reference
        else:
            node.input.append(reference)
        return f"node {node.name} reads {reference}"
    elif kind == "cycle":
        other.input.append(f"^{node.name}")
        node.input.append(f"^{other.name}")
    elif kind == "op":
        op = random.choice([other.op, "Identity", "NoOp", "Placeholder", "Const", "VarHandleOp"])
        node.op = op
        return f"node {node.name} is a {op}"
    elif kind == "gone":
        name = node.name
        nodes.remove(node)
        return f"node {name} removed"
    else:
        node.input.append(other.name)
    return f"{kind}: {node.name}, {other.name}"


def _attribute(meta_graph: MetaGraphDef, random: Random) -> str:
    """Changes an attribute of a node."""
    nodes = [node for node in _nodes(meta_graph, random) if node.attr]
    if not nodes:
        return "no attributes"
    node = random.choice(nodes)
    name = random.choice(sorted(node.attr))
    value = node.attr[name]
    where = f"node {node.name} ({node.op}) attribute {name}"
    kind = random.choice(["any", "any", "any", "removed", "kind", "type", "shape", "other"])
    if kind == "any":
        return _any_field(value, random, where)
    if kind == "removed":
        del node.attr[name]
    elif kind == "kind":
        _CHANGES_OF_KIND[random.randrange(len(_CHANGES_OF_KIND))](value)
        return f"{where} is a {value.WhichOneof('value')}"
    elif kind == "type":
        value.type = random.choice(_ENUMS)
        return f"{where} = type {value.type}"
    elif kind == "shape":
        del value.shape.dim[:]
        sizes = random.choice([[-2], [0], [2**40], [2**62, 4], [-1] * 300, [1] * 255])
        for size in sizes:
            value.shape.dim.add(size=size)
        return f"{where} = shape {sizes[:3]}"
    else:
        value.CopyFrom(random.choice([v for n in nodes for _, v in sorted(n.attr.items())]))
    return f"{where} {kind}"


_CHANGES_OF_KIND: Sequence[Callable[[Any], object]] = (
    lambda value: setattr(value, "s", b"text"),
    lambda value: setattr(value, "i", 7),
    lambda value: setattr(value, "b", True),
    lambda value: setattr(value, "f", 0.5),
    lambda value: value.list.SetInParent(),
    lambda value: setattr(value.func, "name", "gone"),
    lambda value: value.ClearField(value.WhichOneof("value") or "s"),
)


def _constant(meta_graph: MetaGraphDef, random: Random) -> str:
    """Changes what a constant holds."""
    nodes = [node for node in _nodes(meta_graph, random) if node.op == "Const"]
    if not nodes:
        return _attribute(meta_graph, random)
    node = random.choice(nodes)
    tensor = node.attr["value"].tensor
    if random.random() < 0.5:
        return _any_field(tensor, random, f"constant {node.name}")
    sizes = random.choice([[2**40], [3], [0], [2**31, 2**31], [1] * 255, [-1], [2**62]])
    del tensor.tensor_shape.dim[:]
    for size in sizes:
        tensor.tensor_shape.dim.add(size=size)
    return f"constant {node.name} has shape {sizes[:3]}"


def _function(meta_graph: MetaGraphDef, random: Random) -> str:
    functions = meta_graph.graph_def.library.function
    if not functions:
        return _node(meta_graph, random)
    function = random.choice(functions)
    kind = random.choice(["any", "any", "signature", "returns", "twin", "gone", "itself", "swap"])
    name = function.signature.name
    if kind == "any":
        return _any_field(function, random, f"function {name}")
    if kind == "signature":
        return _any_field(function.signature, random, f"function {name} signature")
    if kind == "returns" and function.ret:
        function.ret[random.choice(sorted(function.ret))] = random.choice(["gone:o:0", "", "x"])
    elif kind == "twin":
        functions.append(function)
    elif kind == "gone":
        functions.remove(function)
    else:
        nodes = [*function.node_def, *(meta_graph.graph_def.node if kind == "swap" else ())]
        calls = [v.func for n in nodes for _, v in sorted(n.attr.items()) if v.func.name]
        if calls:
            random.choice(calls).name = name
        else:
            random.choice(function.node_def).op = name
    return f"function {name} {kind}"


def _collection(meta_graph: MetaGraphDef, random: Random) -> str:
    """Changes a collection, and what it holds as bytes, too."""
    if not meta_graph.collection_def:
        return _node(meta_graph, random)
    key = random.choice(sorted(meta_graph.collection_def))
    collection = meta_graph.collection_def[key]
    values = collection.bytes_list.value
    kind = random.choice(["any", "inside", "inside", "inside", "garbage", "kind"])
    if kind == "kind":
        _KINDS_OF_COLLECTION[random.randrange(len(_KINDS_OF_COLLECTION))](collection)
        return f"collection {key} is a {collection.WhichOneof('kind')}"
    if kind == "garbage" and values:
        values[random.randrange(len(values))] = random.choice(_BYTES)
        return f"collection {key} has garbage"
    if kind == "inside" and values and key in _IN_COLLECTIONS:
        index = random.randrange(len(values))
        try:
            message = _IN_COLLECTIONS[key].FromString(values[index])
        except DecodeError:
            return _any_field(collection, random, f"collection {key}")
        what = _any_field(message, random, f"collection {key}[{index}]")
        values[index] = message.SerializeToString(deterministic=True)
        return what
    return _any_field(collection, random, f"collection {key}")


_KINDS_OF_COLLECTION: Sequence[Callable[[Any], object]] = (
    lambda collection: collection.node_list.value.append("gone:0"),
    lambda collection: collection.bytes_list.value.append(b"\xff\x01"),
    lambda collection: collection.int64_list.value.append(7),
    lambda collection: collection.float_list.value.append(0.5),
    lambda collection: collection.any_list.value.add(value=b"\xff\x01"),
)


def _signature(meta_graph: MetaGraphDef, random: Random) -> str:
    """Changes a signature: where its keys point, and what they say of it."""
    if not meta_graph.signature_def:
        return _anything(meta_graph, random)
    name = random.choice(sorted(meta_graph.signature_def))
    signature = meta_graph.signature_def[name]
    side = random.choice(["inputs", "outputs"])
    infos = getattr(signature, side)
    if not infos or random.random() < 0.3:
        return _any_field(signature, random, f"signature {name}")
    key = random.choice(sorted(infos))
    info = infos[key]
    node = random.choice(meta_graph.graph_def.node).name
    kind = random.choice(["any", "any", "points", "points", "type", "encoding"])
    if kind == "any":
        return _any_field(info, random, f"signature {name} {side} {key}")
    if kind == "points":
        info.name = random.choice(
            ["gone:0", f"{node}:7", node, f"{node}:0", "", "^x", f"{node}:-1"]
        )
    elif kind == "type":
        info.dtype = random.choice(_ENUMS)
    else:
        random.choice(
            [
                lambda: setattr(info.coo_sparse, "values_tensor_name", f"{node}:0"),
                lambda: info.composite_tensor.SetInParent(),
                lambda: info.composite_tensor.components.add(name=f"{node}:0"),
                lambda: info.ClearField("name"),
            ]
        )()
    return f"signature {name} {side} {key} {kind}: {info.name} {info.dtype}"


def _assets(meta_graph: MetaGraphDef, random: Random) -> str:
    """Changes which file belongs to which constant."""
    if "saved_model_assets" not in meta_graph.collection_def:
        return _signature(meta_graph, random)
    entries = meta_graph.collection_def["saved_model_assets"].any_list.value
    entry = random.choice(entries)
    asset = AssetFileDef.FromString(entry.value)
    kind = random.choice(["any", "any", "points", "outside", "garbage"])
    if kind == "any":
        what = _any_field(asset, random, "asset")
    elif kind == "points":
        what = asset.tensor_info.name = random.choice(meta_graph.graph_def.node).name + ":0"
    elif kind == "outside":
        what = asset.filename = random.choice(["/etc/passwd", "../saved_model.pb", "a/../../x"])
    entry.value = b"\xff" if kind == "garbage" else asset.SerializeToString()
    return f"asset {kind}" if kind == "garbage" else f"asset {kind} {what}"


def _versions(meta_graph: MetaGraphDef, random: Random) -> str:
    versions = meta_graph.graph_def.versions
    kind = random.choice(["producer", "min_consumer", "bad_consumers"])
    number = random.choice([-1, 0, 1, 10_000, 2**31 - 1])
    if kind == "bad_consumers":
        versions.bad_consumers.extend(range(3000))
    else:
        setattr(versions, kind, number)
    return f"versions {kind} {number}"


_CHANGES: Sequence[tuple[str, Callable[[Path, Random], str], int]] = (
    ("bytes", _graph_file, 14),
    ("marker", _marker, 2),
    ("file", _other_file, 12),
    ("any field", _in_proto(_anything), 6),
    ("node", _in_proto(_node), 16),
    ("attribute", _in_proto(_attribute), 18),
    ("constant", _in_proto(_constant), 8),
    ("function", _in_proto(_function), 8),
    ("collection", _in_proto(_collection), 14),
    ("signature", _in_proto(_signature), 10),
    ("asset", _in_proto(_assets), 3),
    ("versions", _in_proto(_versions), 2),
)


def damaged_copy(module: Path, target: Path, seed: int) -> str:
    """Copies a module, and damages the copy; returns what was done."""
    copy(module, target)
    return damage(target, seed)


def copy(module: Path, target: Path) -> None:
    """Copies a module, which may be read-only, so that the copy can be changed."""
    shutil.copytree(module, target, copy_function=shutil.copyfile)
    for path in [target, *target.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)

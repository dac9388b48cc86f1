"""Hostile modules that hide from an audit what they do: each evaded an earlier version of ours.

They are messages, as those of hostile.py; none is ever run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from tests.auditing.protos import MetaGraphDef, constant, function, meta_graph, node, placeholder

PATH = "/etc/passwd"
_CALL = {"Tin": [tf.string], "Tout": [tf.string], "f": "@f"}
_ELEMENTS = {"output_types": [tf.string], "output_shapes": [tf.TensorShape([])]}


@dataclass(frozen=True)
class Evasion:
    """A hostile module that hides what it does.

    Attributes:
        name: A name for it, which can be that of a file.
        make_graph: Makes its graph variant.
        op: The op that does harm.
    """

    name: str
    make_graph: Callable[[], MetaGraphDef]
    op: str = "ReadFile"

    def meta_graphs(self) -> list[MetaGraphDef]:
        """Its graph variants."""
        return [self.make_graph()]


def _run(*nodes: object, **arguments: object) -> MetaGraphDef:
    """A graph whose signature runs the node "read"."""
    return meta_graph([*nodes, node("y", "NoOp", "^read")], {}, {"default": "y:0"}, **arguments)


def _reader(name: str = "f") -> object:
    """A function that reads the file that its argument names."""
    read = node("read", "ReadFile", "argument")
    return function(name, {"argument": tf.string}, [read], {"y": "argument"})


def _write_over_checkpoint() -> MetaGraphDef:
    nodes = [
        constant("model", "model"),
        node("path", "PlaceholderWithDefault", "model"),
        node("save", "SaveV2", "path"),
        node("restore", "NoOp", "^save"),
        node("saved", "Identity", "path"),
    ]
    graph = meta_graph(nodes, {}, {"default": "model:0"})
    graph.saver_def.filename_tensor_name = "path:0"
    graph.saver_def.save_tensor_name = "saved:0"
    graph.saver_def.restore_op_name = "restore"
    return graph


def _save_in_gradient() -> MetaGraphDef:
    nodes = [constant("c", PATH), node("save", "SaveV2", "c:output:0")]
    graph = meta_graph([constant("y", "")], {}, {"default": "y:0"}, [function("f", {}, nodes, {})])
    library = graph.graph_def.library
    library.registered_gradients.add(gradient_func="f", registered_op_type="G")
    return graph


def _name_other_op_as_constant() -> MetaGraphDef:
    nodes = [constant("empty", ""), node("c", "Identity", "empty")]
    nodes[1].attr["value"].CopyFrom(constant("v", PATH).attr["value"])
    graph = meta_graph(nodes, {}, {"default": "empty:0"}, [_reader()])
    graph.object_graph_def.nodes.add().constant.operation = "c"
    graph.object_graph_def.concrete_functions["f"].bound_inputs.append(0)
    return graph


def _share_cache() -> MetaGraphDef:
    def cache(name: str, source: str) -> list[object]:
        return [
            node(f"source_{name}", "TensorSliceDataset", source, Toutput_types=[tf.string]),
            node(name, "CacheDatasetV2", f"source_{name}", "empty", "memory", **_ELEMENTS),
        ]

    mapped = node("read", "MapDataset", "second", f="@f", Targuments=[], **_ELEMENTS)
    nodes = [constant("foreign", [PATH]), constant("own", [""]), constant("empty", "")]
    nodes += [node("memory", "DummyMemoryCache"), *cache("first", "foreign")]
    return _run(*nodes, *cache("second", "own"), mapped, functions=[_reader()])


def _replace_function() -> MetaGraphDef:
    functions = [_reader(), function("g", {"argument": tf.string}, [], {"y": "argument"})]
    for body in functions:
        body.attr["api_implements"].s = b"interface"
    call = node("read", "PartitionedCall", "c", **{**_CALL, "f": "@g"})
    return _run(constant("c", PATH), call, functions=functions)


def _change_variable(*more: object, variable: str, second: str) -> MetaGraphDef:
    nodes = [
        constant("c", ""),
        constant("foreign", PATH),
        node("variable", "VarHandleOp", dtype=tf.string, shared_name=variable),
        *more,
        node("assign", "AssignVariableOp", "variable", "c"),
        node("change", "AssignVariableOp", second, "foreign"),
        node("name", "ReadVariableOp", "variable", "^assign", "^change"),
        node("read", "ReadFile", "name"),
    ]
    return _run(*nodes)


def _choose_separator() -> MetaGraphDef:
    join = node("name", "StringJoin", "argument", "argument", N=2)
    join.attr["separator"].placeholder = "separator"
    read = node("read", "ReadFile", "name:output:0")
    body = function("f", {"argument": tf.string}, [join, read], {"y": "argument"})
    call = node("read", "f", "c", separator=PATH)
    return _run(constant("c", ""), call, functions=[body])


def _declare_asset() -> MetaGraphDef:
    graph = _run(constant("c", PATH), node("read", "ReadFile", "c"))
    graph.asset_file_def.add(filename="v.txt").tensor_info.name = "c:0"
    return graph


EVASIONS = (
    Evasion("restore-that-writes", _write_over_checkpoint, "SaveV2"),
    Evasion("saver-in-a-gradient", _save_in_gradient, "SaveV2"),
    Evasion("constant-of-another-op", _name_other_op_as_constant),
    Evasion("shared-cache", _share_cache),
    Evasion("function-with-equal-interface", _replace_function),
    Evasion(
        "variables-without-names",
        lambda: _change_variable(
            node("other", "VarHandleOp", dtype=tf.string), variable="", second="other"
        ),
    ),
    Evasion(
        "several-handles",
        lambda: _change_variable(
            node("other", "_VarHandlesOp", shared_names=["v"], N=1), variable="v", second="other"
        ),
    ),
    Evasion(
        "handle-in-a-constant",
        lambda: _change_variable(
            node("other", "Const", dtype=tf.resource), variable="v", second="other"
        ),
    ),
    Evasion("separator-of-the-caller", _choose_separator),
    Evasion("asset-that-loaders-ignore", _declare_asset),
    Evasion(
        "empty-prefix",
        lambda: _run(constant("c", ""), placeholder("x"), node("read", "SaveV2", "c", "x", "x")),
        "SaveV2",
    ),
    Evasion(
        "relative-path", lambda: _run(constant("c", "assets/v.txt"), node("read", "ReadFile", "c"))
    ),
)

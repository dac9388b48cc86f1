"""Writes code to paste for each way to use a module."""

from __future__ import annotations

import dataclasses
import json
import keyword
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from hubmodule.inspection import conformance
from hubmodule.inspection.facts import (
    Call,
    Conformance,
    ForeignOp,
    ModuleFormat,
    SignatureFacts,
    TensorFacts,
    Usage,
    VariantFacts,
)

GRAPH, COLUMN, KERAS, LOAD = "graph mode", "Estimator column", "Keras", "load"

_DEFAULT = "default"
_IMPORTS = "import hubmodule as hub\nimport tensorflow as tf"
_INITIALISE = """\
with tf.compat.v1.Session() as session:
    session.run(tf.compat.v1.global_variables_initializer())
    session.run(tf.compat.v1.tables_initializer())
    print(session.run(outputs))"""
_INDENT = "    "
# With its indentation, a line is shorter than the 80 columns of a terminal.
_WIDTH = 60
_INLINE_WIDTH = 40


@dataclasses.dataclass(frozen=True)
class _Inputs:
    """Code for the inputs of a signature.

    Attributes:
        text: An expression for the inputs; "" if there are none.
        setup: A line that has to be before the expression; "" if none is needed.
    """

    text: str
    setup: str = ""


def write_usage(
    handle: str,
    module_format: ModuleFormat,
    variants: Sequence[VariantFacts],
    calls: Sequence[Call],
    common: Iterable[Conformance],
    foreign_ops: Iterable[ForeignOp],
) -> tuple[Usage, ...]:
    """Writes the code for each way to use a module that works for it.

    Args:
        handle: The handle of the module.
        module_format: The format of the module.
        variants: Its graph variants. The code uses the variant without tags, or else the
            first.
        calls: The ways to call the object of a TF2 SavedModel.
        common: The common signatures that the module fulfils or nearly fulfils.
        foreign_ops: The ops that other packages register; the code imports these packages.
    """
    variant = next((v for v in variants if not v.tags), variants[0] if variants else None)
    if variant is None:
        return ()
    packages = sorted({op.package for op in foreign_ops if op.package})
    imports = "\n".join([_IMPORTS, *(f"import {package}  # registers ops" for package in packages)])
    snippets = _write_snippets(_quote(handle), module_format, variant, calls, common)
    return tuple(Usage(way, f"{imports}\n\n{code}") for way, code in snippets)


def _write_snippets(
    handle: str,
    module_format: ModuleFormat,
    variant: VariantFacts,
    calls: Sequence[Call],
    common: Iterable[Conformance],
) -> Iterator[tuple[str, str]]:
    if module_format is ModuleFormat.TF2_SAVED_MODEL:
        yield from _write_object_code(handle, variant, calls)
        return
    signature = _pick_signature(variant)
    if signature is None:
        return
    value = _write_inputs([_set_image_size(info, variant) for info in signature.inputs])
    if value is None:
        return
    yield GRAPH, _write_graph_mode(handle, module_format, variant, signature, value)
    if module_format is ModuleFormat.TF1_SAVED_MODEL:
        yield from _write_signature_code(handle, signature)
        return
    if not variant.tags:
        yield from _write_column_code(handle, common)
        yield from _write_layer_code(handle, signature, value)
    is_default = signature.name == _DEFAULT
    if value.text or is_default:
        function = "module" if is_default else "module.apply"
        arguments = [value.text] if value.text else []
        arguments += [] if is_default else [_quote(signature.name)]
        load = _write_call("hub.load", [handle, *_write_tags(variant)])
        yield LOAD, _write_lines(value.setup, f"module = {load}", _write_print(function, arguments))


def _pick_signature(variant: VariantFacts) -> SignatureFacts | None:
    by_name = {signature.name: signature for signature in variant.signatures}
    first = next(iter(variant.signatures), None)
    return by_name.get(_DEFAULT) or by_name.get("serving_default") or first


def _write_graph_mode(
    handle: str,
    module_format: ModuleFormat,
    variant: VariantFacts,
    signature: SignatureFacts,
    value: _Inputs,
) -> str:
    spec = handle
    if module_format is ModuleFormat.TF1_SAVED_MODEL:
        spec = f"hub.create_module_spec_from_saved_model({handle})"
    arguments = [value.text] if value.text else []
    if signature.name != _DEFAULT:
        arguments.append(f"signature={_quote(signature.name)}")
    if all(output.name != _DEFAULT for output in signature.outputs):
        arguments.append("as_dict=True")
    lines = _write_lines(
        f"module = {_write_call('hub.Module', [spec, *_write_tags(variant)])}",
        value.setup,
        f"outputs = {_write_call('module', arguments)}",
        _INITIALISE,
    )
    return "with tf.Graph().as_default():\n" + textwrap.indent(lines, _INDENT)


def _write_column_code(handle: str, common: Iterable[Conformance]) -> Iterator[tuple[str, str]]:
    fulfilled = {conformity.name for conformity in common if conformity.fulfilled}
    if conformance.TEXT in fulfilled:
        call = _write_call("hub.text_embedding_column", ['"text"', handle])
        yield COLUMN, f"column = {call}"
    if conformance.IMAGE in fulfilled:
        call = _write_call("hub.image_embedding_column", ['"image"', handle])
        yield COLUMN, f"column = {call}"


def _write_layer_code(
    handle: str, signature: SignatureFacts, value: _Inputs
) -> Iterator[tuple[str, str]]:
    if not value.text or any(info.kind != "dense" for info in signature.inputs):
        return
    arguments = [handle]
    has_default_output = any(output.name == _DEFAULT for output in signature.outputs)
    if signature.name != _DEFAULT or not has_default_output:
        arguments += [f"signature={_quote(signature.name)}", "signature_outputs_as_dict=True"]
    floats = {info.dtype for info in signature.inputs if "float" in info.dtype}
    if len(floats) > 1:  # a layer casts all of them to one type
        return
    if floats - {"float32"}:
        arguments.append(f"dtype={_quote(floats.pop())}")
    layer = _write_call("hub.KerasLayer", arguments)
    yield KERAS, _write_lines(value.setup, f"layer = {layer}", _write_print("layer", [value.text]))


def _write_object_code(
    handle: str, variant: VariantFacts, calls: Sequence[Call]
) -> Iterator[tuple[str, str]]:
    simple = next((call for call in calls if len(call.inputs) == 1 and call.inputs[0].dtype), None)
    if simple is not None:
        value = _write_sample(simple.inputs[0])
        yield KERAS, f"layer = {_write_call('hub.KerasLayer', [handle])}\nprint(layer({value}))"
        yield LOAD, f"module = {_write_call('hub.load', [handle])}\nprint(module({value}))"
        return
    signature = _pick_signature(variant)
    if signature is not None:
        yield from _write_signature_code(handle, signature)


def _write_signature_code(handle: str, signature: SignatureFacts) -> Iterator[tuple[str, str]]:
    samples = {info.name: _write_sample(info) for info in signature.inputs}
    if any(info.kind != "dense" for info in signature.inputs):
        return
    arguments = [f"{name}={sample}" for name, sample in samples.items()]
    setup = ""
    if any(not name.isidentifier() or keyword.iskeyword(name) for name in samples):
        setup, arguments = f"inputs = {_write_dict(samples)}", ["**inputs"]
    call = _write_print(f"module.signatures[{_quote(signature.name)}]", arguments)
    load = _write_call("hub.load", [handle])
    yield LOAD, _write_lines(setup, f"module = {load}", call)


def _write_tags(variant: VariantFacts) -> list[str]:
    """Writes the argument that selects a graph variant; none if it has no tags."""
    return [f"tags={{{', '.join(map(_quote, variant.tags))}}}"] if variant.tags else []


def _write_lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)


def _write_print(function: str, arguments: Sequence[str]) -> str:
    return _write_call("print", [_write_call(function, arguments)])


def _write_call(function: str, arguments: Sequence[str]) -> str:
    """Writes a call, on one line if it fits, else with a line for each argument."""
    line = f"{function}({', '.join(arguments)})"
    if (len(line) <= _WIDTH and "\n" not in line) or not arguments:
        return line
    return f"{function}(\n{_write_items(arguments)})"


def _write_dict(samples: dict[str, str | None]) -> str:
    items = [f"{_quote(name)}: {sample}" for name, sample in samples.items()]
    line = f"{{{', '.join(items)}}}"
    return line if len(line) <= _WIDTH else f"{{\n{_write_items(items)}}}"


def _write_items(items: Iterable[str]) -> str:
    return "".join(f"{textwrap.indent(item, _INDENT)},\n" for item in items)


def _quote(text: str) -> str:
    """Writes a string literal in double quotes, which formatters prefer."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _set_image_size(info: TensorFacts, variant: VariantFacts) -> TensorFacts:
    """Sets the height and width of an input for images that an ImageModuleInfo states."""
    size = next((m.content for m in variant.messages if m.key == conformance.IMAGE_MESSAGE), None)
    if not size or info.name != conformance.IMAGES or not info.shape or len(info.shape) != 4:
        return info
    batch, _, _, channels = info.shape
    shape = (batch, size["height"] or None, size["width"] or None, channels)
    return dataclasses.replace(info, shape=shape)


def _write_inputs(inputs: Sequence[TensorFacts]) -> _Inputs | None:
    """Writes values for inputs; returns None if the value of one cannot be written."""
    samples = {info.name: _write_sample(info) for info in inputs}
    if None in samples.values():
        return None
    if not samples:
        return _Inputs("")
    if len(samples) == 1:
        return _Inputs(next(iter(samples.values())) or "")
    text = _write_dict(samples)
    return _Inputs("inputs", f"inputs = {text}") if len(text) > _INLINE_WIDTH else _Inputs(text)


def _write_sample(info: TensorFacts) -> str | None:
    """Writes a value of the type and shape of an input, with 1 for unknown dimensions."""
    rank_known = info.shape is not None
    shape = [1 if size is None else size for size in info.shape or ()]
    if info.kind == "sparse":
        dense = _write_dense_sample(info.dtype, shape if rank_known else [1, 1])
        return f"tf.sparse.from_dense({dense})"
    if info.kind == "composite":
        if info.ragged_rank is None:
            return None
        dense = _write_dense_sample(
            info.dtype, shape if rank_known else [1] * (info.ragged_rank + 1)
        )
        return f"tf.RaggedTensor.from_tensor({dense}, ragged_rank={info.ragged_rank})"
    return _write_dense_sample(info.dtype, shape if rank_known else [1])


def _write_dense_sample(dtype: str, shape: list[int]) -> str:
    if dtype == "string":
        if shape == [1]:
            return 'tf.constant(["some text"])'
        return f'tf.fill({shape}, "some text")'
    return f"tf.zeros({shape})" if dtype == "float32" else f"tf.zeros({shape}, tf.{dtype})"

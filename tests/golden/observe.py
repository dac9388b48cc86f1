"""What a program can see of a module through the public API of either library.

`hub` is hubmodule or tensorflow_hub, `tf` the names of tf.compat.v1. Everything that is
observed is plain data, so that what two libraries show can be compared. Runs on Python 3.7.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from tests.golden import recordings, values
from tests.golden.definitions import Call, control_flow
from tests.golden.values import Value

LEARNING_RATE = 0.1


def soft_session(tf: Any) -> Any:
    """A session that runs elsewhere what asks for a GPU: tensorflow_hub keeps devices."""
    return tf.Session(config=tf.ConfigProto(allow_soft_placement=True))


def initialize(tf: Any, session: Any) -> None:
    """Gives variables and tables of the session's graph their first values."""
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])


def _apply(hub: Any, tf: Any, spec: Any, call: Call, trainable: bool = False) -> dict[str, Any]:
    """Puts the module into the default graph and applies it: all outputs."""
    module = hub.Module(spec, trainable=trainable, tags=set(call.tags))
    inputs = {name: values.to_tensor(tf, value) for name, value in call.inputs.items()}
    return module(inputs, signature=call.signature, as_dict=True)


def outputs(hub: Any, tf: Any, spec: Any, call: Call) -> dict[str, Value]:
    """All outputs of one call, by name."""
    with tf.Graph().as_default(), soft_session(tf) as session:
        fetches = _apply(hub, tf, spec, call)
        initialize(tf, session)
        fetched = session.run(fetches)
    return {name: values.from_session(value) for name, value in fetched.items()}


def training_step(hub: Any, tf: Any, spec: Any, call: Call) -> dict[str, Value]:
    """What one step of gradient descent does, with updates and regularisation.

    The loss is the mean of each floating-point output plus the regularisation losses.
    Returns those, sorted, under `regularization`, and each part of each variable after the
    step under `var:<its name in the graph>`.
    """
    caller = control_flow(tf, call.control_flow)
    with tf.Graph().as_default(), soft_session(tf) as session, caller:
        by_name = _apply(hub, tf, spec, call, trainable=True)
        penalties = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
        loss = tf.add_n([*(_mean(tf, by_name[name]) for name in sorted(by_name)), *penalties])
        step = _descent(tf, loss)
        initialize(tf, session)
        seen = {"regularization": values.from_session(sorted(session.run(penalties)))}
        session.run(step)
        variables = {"var:" + v.op.name: v for v in tf.global_variables()}
        fetched = session.run({name: v.read_value() for name, v in variables.items()})
    seen.update((name, values.from_session(value)) for name, value in fetched.items())
    return seen


def _mean(tf: Any, output: Any) -> Any:
    numbers = getattr(output, "flat_values", getattr(output, "values", output))
    if not numbers.dtype.is_floating:
        return tf.constant(0.0)
    return tf.reduce_mean(tf.cast(numbers, tf.float32))


def _descent(tf: Any, loss: Any) -> Any:
    trained = tf.trainable_variables()
    gradients = [tf.convert_to_tensor(gradient) for gradient in tf.gradients(loss, trained)]
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    # Everything is computed before any variable changes: one result, whatever the order.
    with tf.control_dependencies([*gradients, *updates]):
        return tf.train.GradientDescentOptimizer(LEARNING_RATE).apply_gradients(
            [(gradients[i], trained[i]) for i in range(len(trained))]
        )


def description(hub: Any, tf: Any, spec: Any, calls: Sequence[Call]) -> dict[str, Any]:
    """The variants of a module, and what calls add to UPDATE_OPS, as JSON holds them."""
    return {
        "variants": variants(hub, tf, spec),
        "update_ops": {recordings.call_name(c): update_ops(hub, tf, spec, c) for c in calls},
    }


def update_ops(hub: Any, tf: Any, spec: Any, call: Call) -> dict[str, int]:
    """How many ops a call of a frozen and of a trainable module adds to UPDATE_OPS."""
    return {
        "frozen": _count_update_ops(hub, tf, spec, call, trainable=False),
        "trainable": _count_update_ops(hub, tf, spec, call, trainable=True),
    }


def _count_update_ops(hub: Any, tf: Any, spec: Any, call: Call, trainable: bool) -> int:
    with tf.Graph().as_default() as graph:
        _apply(hub, tf, spec, call, trainable)
        return len(graph.get_collection(tf.GraphKeys.UPDATE_OPS))


def static_shapes(hub: Any, tf: Any, spec: Any, call: Call) -> dict[str, Any]:
    """What the graph knows of the shapes of a call's outputs: tf.TensorShapes by name."""
    with tf.Graph().as_default():
        return {name: tensor.shape for name, tensor in _apply(hub, tf, spec, call).items()}


def variants(hub: Any, tf: Any, spec: Any) -> list[dict[str, Any]]:
    """Signatures, attachments, variables and collections of each variant."""
    all_tags = sorted(sorted(tags) for tags in spec.get_tags())
    return [_variant(hub, tf, spec, set(tags)) for tags in all_tags]


def _variant(hub: Any, tf: Any, spec: Any, tags: set) -> dict[str, Any]:
    names = sorted(spec.get_signature_names(tags=tags))
    return {
        "tags": sorted(tags),
        "attachments": _attachments(hub, tf, spec, tags),
        "signatures": {
            name: {
                "inputs": _infos(spec.get_input_info_dict(name, tags)),
                "outputs": _infos(spec.get_output_info_dict(name, tags)),
            }
            for name in names
        },
        "frozen": _state(hub, tf, spec, tags, trainable=False),
        "trainable": _state(hub, tf, spec, tags, trainable=True),
    }


def _attachments(hub: Any, tf: Any, spec: Any, tags: set) -> dict[str, Any]:
    """The messages that some definition attaches, as text; None where there is none."""
    types = {"image_module_info": hub.ImageModuleInfo, "labels": tf.train.BytesList}
    found = {key: spec.get_attached_message(key, types[key], tags) for key in types}
    return {key: None if message is None else str(message) for key, message in found.items()}


def _infos(infos: Any) -> dict[str, Any]:
    return {name: _info(infos[name]) for name in sorted(infos)}


def _info(info: Any) -> dict[str, Any]:
    shape = info.get_shape()
    kind = "sparse" if info.is_sparse else "composite" if info.is_composite else "dense"
    return {
        "kind": kind,
        "dtype": info.dtype.name,
        "shape": None if shape.dims is None else shape.as_list(),
    }


def _state(hub: Any, tf: Any, spec: Any, tags: set, trainable: bool) -> dict[str, Any]:
    """What instantiating adds to the graph's collections, and to the module's variables."""
    with tf.Graph().as_default() as graph, soft_session(tf) as session:
        module = hub.Module(spec, trainable=trainable, tags=tags)
        initialize(tf, session)
        keys = tf.GraphKeys
        files = session.run(graph.get_collection(keys.ASSET_FILEPATHS))
        return {
            "variables": _names(graph.get_collection(keys.GLOBAL_VARIABLES)),
            "model_variables": _names(graph.get_collection(keys.MODEL_VARIABLES)),
            "trainable_variables": _names(graph.get_collection(keys.TRAINABLE_VARIABLES)),
            "regularization_losses": len(graph.get_collection(keys.REGULARIZATION_LOSSES)),
            "table_initializers": len(graph.get_collection(keys.TABLE_INITIALIZERS)),
            # A set: how many constants name the same file is nobody's business.
            "asset_files": sorted({os.path.basename(path.decode()) for path in files}),
            "variable_map": {name: _parts(v) for name, v in sorted(module.variable_map.items())},
        }


def _names(variables: Any) -> list[str]:
    return sorted(v.op.name for v in variables)


def _parts(variable: Any) -> list[str]:
    return [part.op.name for part in (variable if isinstance(variable, list) else [variable])]

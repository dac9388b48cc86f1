"""eval_function_for_module: a module as a function of plain values."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import rewriter_config_pb2

from hubmodule.format.signatures import TensorInfo
from hubmodule.module import values
from hubmodule.module.module import Module
from hubmodule.module.spec import ModuleSpec


@contextlib.contextmanager
def eval_function_for_module(
    spec: ModuleSpec | str | os.PathLike[str], tags: Iterable[str] | None = None
) -> Iterator[Callable[..., Any]]:
    """Opens a context with a function that computes outputs of a module from plain values.

        >>> with hub.eval_function_for_module("modules/text") as f:
        ...     vectors = f(["a text", "another"])  # a NumPy array
        >>> vectors.shape, vectors.dtype
        ((2, 4), dtype('float32'))

    The module is in a graph and a session of its own, which the context closes. The graph
    does not grow with the calls.

    Args:
        spec: A ModuleSpec, or the handle of a module.
        tags: The tags of the graph variant, e.g. {"train"}; None means the variant without
            tags.

    Yields:
        A function f(inputs=None, signature=None, as_dict=None) with the arguments of a call
        of hub.Module. It takes and returns NumPy arrays, SparseTensorValues and
        RaggedTensorValues, and raises the exceptions of such a call.

    Raises:
        HubModuleError: If hub.Module() raises it.
    """
    graph = tf.Graph()
    with graph.as_default():
        module = Module(spec, tags=tags)
        initialisers = [
            tf.compat.v1.global_variables_initializer(),
            tf.compat.v1.tables_initializer(),
        ]
    # The session must not become the default one of the caller.
    session = tf.compat.v1.Session(graph=graph, config=_make_config())
    evaluation = _Evaluation(module, session)
    # When Python ends, it closes a context that is still open only after it has cleared
    # TensorFlow's modules; a finalizer runs before that.
    close = weakref.finalize(evaluation, session.close)
    try:
        session.run(initialisers)
        yield evaluation
    finally:
        close()


def _make_config() -> tf.compat.v1.ConfigProto:
    """Makes the options of a session that optimises its graph in one pass.

    By default there is a second pass. It doubles the time to the first result, and later
    results are not faster; this was measured with modules of dense layers and of convolutions.
    The optimisation for the memory of training is off too.
    """
    config = tf.compat.v1.ConfigProto()
    options = config.graph_options.rewrite_options
    options.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.ONE
    options.memory_optimization = rewriter_config_pb2.RewriterConfig.NO_MEM_OPT
    return config


class _Evaluation:
    """The function of eval_function_for_module: applies each signature once, to placeholders."""

    def __init__(self, module: Module, session: tf.compat.v1.Session):
        self._module = module
        self._session = session
        self._applied: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}

    def __repr__(self) -> str:
        return f"<hub.eval_function_for_module: function of {self._module!r}>"

    def __call__(
        self,
        inputs: Any = None,
        _sentinel: None = None,
        signature: str | None = None,
        as_dict: bool | None = None,
    ) -> Any:
        values.check_named(_sentinel)
        name = signature or "default"
        infos = self._module.get_input_info_dict(name)
        given = values.name_inputs(infos, inputs, name)
        if name not in self._applied:
            self._applied[name] = self._apply(name, infos)
        placeholders, outputs = self._applied[name]
        values.check_default(outputs, name, as_dict)
        feeds = {placeholders[key]: value for key, value in given.items()}
        return self._session.run(outputs if as_dict else outputs["default"], feeds)

    def _apply(
        self, name: str, infos: dict[str, TensorInfo]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        with self._module.graph.as_default():
            placeholders = {key: info.placeholder() for key, info in infos.items()}
            return placeholders, self._module(placeholders, signature=name, as_dict=True)

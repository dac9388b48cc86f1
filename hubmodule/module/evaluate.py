"""eval_function_for_module: a module as a function of plain values."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import rewriter_config_pb2

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
    with open_evaluation(spec, tags) as evaluation:
        yield evaluation


@contextlib.contextmanager
def open_evaluation(
    spec: ModuleSpec | str | os.PathLike[str],
    tags: Iterable[str] | None = None,
    config: tf.compat.v1.ConfigProto | None = None,
) -> Iterator[Evaluation]:
    """Opens a context with a module in a graph and a session of its own.

    Args:
        spec: A ModuleSpec, or the handle of a module.
        tags: The tags of the graph variant; None means the variant without tags.
        config: Options of the session, which replace those of eval_function_for_module();
            None changes none.

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
    session = tf.compat.v1.Session(graph=graph, config=_make_config(config))
    evaluation = Evaluation(module, session)
    # When Python ends, it closes a context that is still open only after it has cleared
    # TensorFlow's modules; a finalizer runs before that.
    close = weakref.finalize(evaluation, session.close)
    try:
        session.run(initialisers)
        yield evaluation
    finally:
        close()


def _make_config(further: tf.compat.v1.ConfigProto | None) -> tf.compat.v1.ConfigProto:
    """Makes the options of a session that optimises its graph in one pass.

    By default there is a second pass. It doubles the time to the first result, and later
    results are not faster; this was measured with modules of dense layers and of convolutions.
    The optimisation for the memory of training is off too.
    """
    config = tf.compat.v1.ConfigProto()
    options = config.graph_options.rewrite_options
    options.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.ONE
    options.memory_optimization = rewriter_config_pb2.RewriterConfig.NO_MEM_OPT
    if further is not None:
        config.MergeFrom(further)
    return config


class Evaluation:
    """The function of eval_function_for_module: applies each signature once, to placeholders.

    Threads may call it at the same time.

    Args:
        module: The module, in the graph of the session.
        session: A session in which the module is initialised before the first call.
    """

    def __init__(self, module: Module, session: tf.compat.v1.Session):
        self.module = module
        self._session = session
        self._applied: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        # Two threads that make ops in the same graph would name them alike.
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<hub.eval_function_for_module: function of {self.module!r}>"

    def __call__(
        self,
        inputs: Any = None,
        _sentinel: None = None,
        signature: str | None = None,
        as_dict: bool | None = None,
    ) -> Any:
        """Computes the outputs of a signature, with the arguments of a call of hub.Module."""
        values.check_named(_sentinel)
        name = signature or "default"
        given = values.name_inputs(self.module.get_input_info_dict(name), inputs, name)
        placeholders, outputs = self.apply(name)
        values.check_default(outputs, name, as_dict)
        feeds = {placeholders[key]: value for key, value in given.items()}
        return self._session.run(outputs if as_dict else outputs["default"], feeds)

    def fetch(self, signature: str, inputs: Mapping[str, Any], outputs: Sequence[str]) -> list[Any]:
        """Computes some outputs of a signature.

        Args:
            signature: The name of the signature.
            inputs: The values of all inputs by name.
            outputs: The names of the outputs to compute; each must exist.
        """
        placeholders, tensors = self.apply(signature)
        feeds = {placeholders[key]: value for key, value in inputs.items()}
        return self._session.run([tensors[name] for name in outputs], feeds)

    def apply(self, signature: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the placeholders and the outputs of a signature, which it applies once."""
        with self._lock:
            if signature not in self._applied:
                self._applied[signature] = self._make_application(signature)
            return self._applied[signature]

    def _make_application(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        infos = self.module.get_input_info_dict(name)
        with self.module.graph.as_default():
            placeholders = {key: info.placeholder() for key, info in infos.items()}
            return placeholders, self.module(placeholders, signature=name, as_dict=True)

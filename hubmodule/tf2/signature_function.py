"""A signature of a module as a function of values, which gradient tapes follow.

A call `module(x)` of the object that hub.load() returned takes this path:

    ReusableModule.__call__              reusable_module.py
    SignatureFunction.__call__           this file: names and converts the inputs
    apply_signature                      this file; when TensorFlow traces the function
    Application.add_ops                  application.py: state from outside of the function
    add_application                      module/apply_graph.py: as in graph mode
    _tf.import_graph_def                 adds the ops

If TensorFlow cannot compute the gradient of the signature, because of TF1 control flow,
apply_signature calls recomputation.py, which calls Application.add_ops.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hubmodule.module import values
from hubmodule.tf2 import recomputation
from hubmodule.tf2.application import Application


class SignatureFunction:
    """A signature that is called with its inputs and returns the dict of its outputs.

    TensorFlow traces it at the first call, at the first call for training, and for each replica
    of a distribution strategy.

    Args:
        application: The signature that calls apply.
        training: The signature that calls with training=True apply; it takes the same inputs.

    Raises:
        NoSuchSignatureError: If the graph variant of `application` lacks the signature.
    """

    def __init__(self, application: Application, training: Application):
        self._name = application.signature
        self._inputs = application.variant.get_signature(application.signature).inputs
        self._applications = {False: application, True: training}
        self._functions: dict[bool, Any] = {}
        self._traces: dict[bool, Any] = {}

    def __call__(self, inputs: Any, training: bool | tf.Tensor | None = False) -> dict[str, Any]:
        """Applies the signature.

        Args:
            inputs: The value of the only input, or a dict of all inputs by name; None if there
                are none.
            training: Whether to apply the signature for training; a scalar tensor in a function
                decides when the function runs.

        Returns:
            The outputs by name.

        Raises:
            NoSuchSignatureError: If the graph variant for training lacks the signature.
            SignatureMismatchError: If an input is missing or unknown, or of another type or
                shape.
        """
        named = values.name_inputs(self._inputs, inputs, self._name)
        converted = values.convert_inputs(self._inputs, named)
        tensors = tf.nest.flatten(converted, expand_composites=True)
        if not tf.is_symbolic_tensor(training):
            trains = bool(training)
            if not tf.executing_eagerly() or tf.distribute.has_strategy():
                return self._get_function(trains)(tensors)
            # There is one trace, and the inputs have its types. That a tf.function looks for the
            # trace by these types takes as long as the computation of a small module.
            if trains not in self._traces:
                self._traces[trains] = self._get_function(trains).get_concrete_function()
            return self._traces[trains](tensors)
        return tf.cond(
            tf.cast(training, tf.bool),
            lambda: self._get_function(True)(tensors),
            lambda: self._get_function(False)(tensors),
        )

    def _get_function(self, training: bool) -> Any:
        """Returns the tf.function that applies the signature, made when it is first needed."""
        if training not in self._functions:
            application = self._applications[training]
            self._functions[training] = make_function(
                apply_signature, application, input_signature=[application.tensor_specs]
            )
        return self._functions[training]


def apply_signature(application: Application, tensors: Sequence[tf.Tensor]) -> dict[str, Any]:
    """Applies a signature in the function under construction, so that gradient tapes follow.

    Args:
        application: The signature and the state, to which missing variables and tables are added.
        tensors: The tensors of the inputs, of the types in `application.tensor_specs`.

    Returns:
        The outputs by name.
    """
    application.state.add(application.variant)
    if recomputation.is_needed(application):
        return recomputation.apply_signature(application, tensors)
    return tf.compat.v1.wrap_function(application.add_ops, application.tensor_specs)(*tensors)


def wrap_signature(application: Application) -> Any:
    """Makes a wrapped function that applies a signature, and that gradient tapes follow.

    Args:
        application: The signature, and the state with all variables and tables that it needs.

    Returns:
        A ConcreteFunction from the tensors of the inputs to the dict of the outputs.
    """

    def recompute(*tensors: tf.Tensor) -> dict[str, Any]:
        return recomputation.apply_signature(application, tensors)

    add_ops = recompute if recomputation.is_needed(application) else application.add_ops
    return tf.compat.v1.wrap_function(add_ops, application.tensor_specs)


def make_function(
    python_function: Callable[..., Any], *arguments: Any, input_signature: Sequence[Any]
) -> Any:
    """Makes a tf.function from a Python function and the values of its first arguments.

    TensorFlow considers functions with the same code one function, and warns if it is traced
    often. Each functools.partial is a function of its own.

    Args:
        python_function: The function to trace.
        *arguments: The values of its first arguments.
        input_signature: The types of its other arguments, as tf.function takes them.
    """
    partial = functools.partial(python_function, *arguments)
    return tf.function(partial, input_signature=input_signature, autograph=False)

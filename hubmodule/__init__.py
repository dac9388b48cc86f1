"""hubmodule: the TF1 Hub module format on today's TensorFlow.

    import hubmodule as hub

Public names are imported when they are first used, so importing the package imports neither
TensorFlow nor Keras nor the Estimator.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from hubmodule._version import __version__

# Type checkers and editors read these imports; Python reads _DEFINED_IN.
if TYPE_CHECKING:
    from hubmodule.alias import install_alias
    from hubmodule.errors import HubModuleError
    from hubmodule.estimator.bridge import enable_estimator
    from hubmodule.estimator.exporter import LatestModuleExporter, register_module_for_export
    from hubmodule.estimator.feature_columns import (
        image_embedding_column,
        sparse_text_embedding_column,
        text_embedding_column,
    )
    from hubmodule.estimator.layer_column import text_embedding_column_v2
    from hubmodule.format.signatures import TensorInfo
    from hubmodule.inspection.audit import audit
    from hubmodule.inspection.diff import diff
    from hubmodule.inspection.inspect import inspect
    from hubmodule.keras.keras3_layer import KerasLayer
    from hubmodule.module.applier import ModuleApplier
    from hubmodule.module.builder import add_signature, attach_message, create_module_spec
    from hubmodule.module.evaluate import eval_function_for_module
    from hubmodule.module.images import (
        ImageModuleInfo,
        attach_image_module_info,
        get_expected_image_size,
        get_num_image_channels,
    )
    from hubmodule.module.loading import load_module_spec
    from hubmodule.module.module import Module
    from hubmodule.module.saved_model_spec import create_module_spec_from_saved_model
    from hubmodule.module.spec import ModuleSpec
    from hubmodule.resolver.resolvers import resolve
    from hubmodule.run import enable_tensorflow_1
    from hubmodule.tf2.load import load

__all__ = [
    "HubModuleError",
    "ImageModuleInfo",
    "KerasLayer",
    "LatestModuleExporter",
    "Module",
    "ModuleApplier",
    "ModuleSpec",
    "TensorInfo",
    "__version__",
    "add_signature",
    "attach_image_module_info",
    "attach_message",
    "audit",
    "create_module_spec",
    "create_module_spec_from_saved_model",
    "diff",
    "enable_estimator",
    "enable_tensorflow_1",
    "eval_function_for_module",
    "get_expected_image_size",
    "get_num_image_channels",
    "image_embedding_column",
    "inspect",
    "install_alias",
    "load",
    "load_module_spec",
    "register_module_for_export",
    "resolve",
    "sparse_text_embedding_column",
    "text_embedding_column",
    "text_embedding_column_v2",
]

# Public name -> the module that defines it.
_DEFINED_IN = {
    "HubModuleError": "hubmodule._plain_errors",
    "ImageModuleInfo": "hubmodule.module.images",
    "KerasLayer": "hubmodule.keras.keras_layer",
    "LatestModuleExporter": "hubmodule.estimator.exporter",
    "Module": "hubmodule.module.module",
    "ModuleApplier": "hubmodule.module.applier",
    "ModuleSpec": "hubmodule.module.spec",
    "TensorInfo": "hubmodule.format.signatures",
    "add_signature": "hubmodule.module.builder",
    "attach_image_module_info": "hubmodule.module.images",
    "attach_message": "hubmodule.module.builder",
    "audit": "hubmodule.inspection.audit",
    "create_module_spec": "hubmodule.module.builder",
    "create_module_spec_from_saved_model": "hubmodule.module.saved_model_spec",
    "diff": "hubmodule.inspection.diff",
    "enable_estimator": "hubmodule.estimator.bridge",
    "enable_tensorflow_1": "hubmodule.run",
    "eval_function_for_module": "hubmodule.module.evaluate",
    "get_expected_image_size": "hubmodule.module.images",
    "get_num_image_channels": "hubmodule.module.images",
    "image_embedding_column": "hubmodule.estimator.feature_columns",
    "inspect": "hubmodule.inspection.inspect",
    "install_alias": "hubmodule.alias",
    "load": "hubmodule.tf2.load",
    "load_module_spec": "hubmodule.module.loading",
    "register_module_for_export": "hubmodule.estimator.exporter",
    "resolve": "hubmodule.resolver.resolvers",
    "sparse_text_embedding_column": "hubmodule.estimator.feature_columns",
    "text_embedding_column": "hubmodule.estimator.feature_columns",
    "text_embedding_column_v2": "hubmodule.estimator.layer_column",
}

# These work where TensorFlow is not installed.
_NEED_NO_TENSORFLOW = frozenset({"HubModuleError", "install_alias"})

# absl, which comes with TensorFlow, rejects flags on the command line that are not declared
# when it parses them.
if importlib.util.find_spec("absl") is not None:
    from hubmodule import settings

    settings.declare_flags()

# A type checker that saw this function would take any name for a public one.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _DEFINED_IN:
            raise AttributeError(f"module 'hubmodule' has no attribute {name!r}")
        if name not in _NEED_NO_TENSORFLOW:
            from hubmodule import _requirements

            _requirements.check_tensorflow()
        value = getattr(importlib.import_module(_DEFINED_IN[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: Any) -> None:
    """Registers the magic `%tf1`; IPython calls it for `%load_ext hubmodule`."""
    importlib.import_module("hubmodule.notebook").register_magics(ipython)

"""hubmodule: the TF1 Hub module format on today's TensorFlow.

    import hubmodule as hub

Every public name is looked up when it is first used, so importing the package
imports neither TensorFlow nor Keras nor the Estimator.
"""

from __future__ import annotations

import importlib
from typing import Any

from hubmodule import _requirements
from hubmodule._version import __version__

# Public name -> the module that defines it.
_HOMES = {
    "HubModuleError": "hubmodule.errors",
    "ImageModuleInfo": "hubmodule.module.images",
    "KerasLayer": "hubmodule.tf2.keras_layer",
    "LatestModuleExporter": "hubmodule.estimator.exporter",
    "Module": "hubmodule.module.module",
    "ModuleSpec": "hubmodule.module.spec",
    "add_signature": "hubmodule.module.builder",
    "attach_image_module_info": "hubmodule.module.images",
    "attach_message": "hubmodule.module.builder",
    "audit": "hubmodule.inspection.audit",
    "create_module_spec": "hubmodule.module.builder",
    "create_module_spec_from_saved_model": "hubmodule.module.saved_model_spec",
    "enable_estimator": "hubmodule.estimator.bridge",
    "eval_function_for_module": "hubmodule.module.evaluate",
    "get_expected_image_size": "hubmodule.module.images",
    "get_num_image_channels": "hubmodule.module.images",
    "image_embedding_column": "hubmodule.estimator.feature_columns",
    "install_alias": "hubmodule.alias",
    "load": "hubmodule.tf2.load",
    "load_module_spec": "hubmodule.module.module",
    "register_module_for_export": "hubmodule.estimator.exporter",
    "resolve": "hubmodule.resolver.resolvers",
    "sparse_text_embedding_column": "hubmodule.estimator.feature_columns",
    "text_embedding_column": "hubmodule.estimator.feature_columns",
    "text_embedding_column_v2": "hubmodule.estimator.layer_column",
}

__all__ = ["__version__", *sorted(_HOMES)]

_requirements.check_tensorflow()
# Not before the check: absl comes with TensorFlow.
from hubmodule import settings  # noqa: E402

# absl rejects a flag on the command line that nobody has declared by the time it parses.
settings.declare_flags()


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'hubmodule' has no attribute {name!r}") from None
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

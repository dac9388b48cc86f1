"""hubmodule under the name of tensorflow_hub, in processes of their own."""

from __future__ import annotations

import sys

import pytest

from tests.processes import output_of, run_code

INSTALL = "import hubmodule\nhubmodule.install_alias()\n"


def test_import_gives_hubmodule_without_importing_tensorflow():
    lines = output_of(
        INSTALL
        + """
import sys
import tensorflow_hub as hub
from tensorflow_hub import __all__ as names
print("tensorflow" in sys.modules, set(names) == set(hubmodule.__all__))
print(sorted(set(hubmodule.__all__) - set(dir(hub))))
hubmodule.install_alias()
import tensorflow_hub
print(tensorflow_hub is hub)
"""
    )
    assert lines == ["False True", "[]", "True"]


def test_the_version_is_the_one_of_the_api():
    lines = output_of(INSTALL + "import tensorflow_hub; print(tensorflow_hub.__version__)")
    assert lines[0].startswith("0.15.0+hubmodule.")


def test_names_and_modules_that_programs_reach_for():
    lines = output_of(
        INSTALL
        + """
import tensorflow_hub as hub
import tensorflow_hub.native_module
from tensorflow_hub import image_util, tf_v1
from tensorflow_hub.estimator import LatestModuleExporter
from tensorflow_hub.module_def_pb2 import ModuleDef
import tensorflow.compat.v1 as tf
print(hub.Module is hubmodule.Module, hub.native_module.add_signature is hubmodule.add_signature)
print(image_util.get_expected_image_size is hubmodule.get_expected_image_size, tf_v1 is tf)
print(hub.feature_column.text_embedding_column is hubmodule.text_embedding_column)
print(LatestModuleExporter is hubmodule.LatestModuleExporter, ModuleDef(format=3).format)
print(hub.HubModuleError is hubmodule.errors.HubModuleError)
"""
    )
    assert lines == ["True True", "True True", "True", "True 3", "True"]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "import tensorflow_hub.tools.convert",
            "No module named 'tensorflow_hub.tools': hubmodule stands in for tensorflow_hub",
        ),
        (
            "import tensorflow_hub; tensorflow_hub.resolver.tfhub_cache_dir",
            "module 'tensorflow_hub.resolver' has no attribute 'tfhub_cache_dir': hubmodule stands",
        ),
        ("from tensorflow_hub.registry import loader", "hubmodule/alias.py)"),
    ],
)
def test_what_is_missing_is_explained(statement, message):
    done = run_code(INSTALL + statement)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]


def test_after_tensorflow_hub_itself_it_is_too_late():
    done = run_code(
        """
        import sys, types
        sys.modules["tensorflow_hub"] = types.ModuleType("tensorflow_hub")
        sys.modules["tensorflow_hub"].__file__ = "/there/tensorflow_hub/__init__.py"
        import hubmodule
        hubmodule.install_alias()
        """
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("hubmodule.errors.AliasError: tensorflow_hub was imported from /there/")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

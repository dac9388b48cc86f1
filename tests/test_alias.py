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


# Beam pickles functions by value, with the modules that they name.
PICKLERS = {
    "pickle": "pickle.dumps(hub)",
    "pickle of a module inside": "pickle.dumps(hub.native_module)",
    "cloudpickle of a function": "cloudpickle.dumps(lambda: hub)",
    "cloudpickle of a module inside": "cloudpickle.dumps(lambda: hub.native_module)",
    "dill of a function": "dill.dumps(lambda: hub, recurse=True)",
    "dill of a module inside": "dill.dumps(lambda: hub.native_module, recurse=True)",
}


@pytest.mark.parametrize("expression", PICKLERS.values(), ids=PICKLERS.keys())
def test_is_pickled_into_a_process_without_the_alias(expression, tmp_path):
    package = expression.partition(".")[0]
    pytest.importorskip(package)
    path = str(tmp_path / "pickle")
    output_of(
        f"""
        import hubmodule, {package}
        hubmodule.install_alias()
        import tensorflow_hub as hub
        with open({path!r}, "wb") as file:
            file.write({expression})
        """
    )
    lines = output_of(
        f"""
        import pickle, sys, types
        with open({path!r}, "rb") as file:
            loaded = pickle.load(file)
        module = loaded if isinstance(loaded, types.ModuleType) else loaded()
        print(sys.modules[module.__name__] is module, "tensorflow" in sys.modules)
        import hubmodule, tensorflow_hub
        print(module.__name__, module.install_alias is hubmodule.install_alias)
        print(tensorflow_hub.__version__)
        """
    )
    name = "tensorflow_hub.native_module" if "native" in expression else "tensorflow_hub"
    assert lines[:2] == ["True False", f"{name} True"]
    assert lines[2].startswith("0.15.0+hubmodule.")


def test_a_copy_is_the_alias_itself():
    lines = output_of(
        INSTALL
        + """
import copy
import tensorflow_hub as hub
import tensorflow_hub.native_module
print(copy.copy(hub) is hub, copy.deepcopy({"hub": hub})["hub"] is hub)
print(copy.deepcopy(hub.native_module) is hub.native_module)
"""
    )
    assert lines == ["True True", "True"]


def test_a_pickle_of_it_is_an_error_where_tensorflow_hub_itself_is():
    done = run_code(
        INSTALL
        + """
import pickle, sys, types
import tensorflow_hub as hub
pickled = pickle.dumps(hub)
sys.modules["tensorflow_hub"] = types.ModuleType("tensorflow_hub")
sys.modules["tensorflow_hub"].__file__ = "/there/tensorflow_hub/__init__.py"
pickle.loads(pickled)
"""
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("hubmodule.errors.AliasError: tensorflow_hub was imported from /there/")


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

"""The package itself: its public names, and how little importing it does."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import hubmodule

# What programs written for tensorflow_hub use of graph mode, and the base of all errors.
EXPECTED = {
    "HubModuleError",
    "ImageModuleInfo",
    "Module",
    "ModuleSpec",
    "__version__",
    "add_signature",
    "attach_image_module_info",
    "attach_message",
    "create_module_spec",
    "create_module_spec_from_saved_model",
    "eval_function_for_module",
    "get_expected_image_size",
    "get_num_image_channels",
    "load_module_spec",
    "resolve",
}


def run(program: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[1],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize(
    "package", ["tensorflow", "keras", "tf_keras", "tensorflow_estimator", "numpy"]
)
def test_importing_imports_no(package):
    loaded = run("import sys, hubmodule; print(*{name.split('.')[0] for name in sys.modules})")
    assert "hubmodule" in loaded.split()
    assert package not in loaded.split()


def test_names_expected_by_users_are_public():
    assert set(hubmodule.__all__) >= EXPECTED


def test_public_names_are_unique():
    assert len(set(hubmodule.__all__)) == len(hubmodule.__all__)


@pytest.mark.parametrize("name", sorted(hubmodule.__all__))
def test_each_public_name_exists(name):
    assert getattr(hubmodule, name) is not None
    assert name in vars(hubmodule)  # found once, it is there without a look-up


def test_a_star_import_gives_all_public_names():
    namespace: dict[str, object] = {}
    exec("from hubmodule import *", namespace)
    assert set(hubmodule.__all__) <= namespace.keys()


def test_dir_lists_public_names_before_they_are_used():
    listed = run("import hubmodule; print(*dir(hubmodule))").split()
    assert set(hubmodule.__all__) <= set(listed)
    assert listed == sorted(listed)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'hubmodule' has no attribute 'Modul'"):
        _ = hubmodule.Modul


def test_names_come_from_where_they_are_defined():
    assert hubmodule.Module is importlib.import_module("hubmodule.module.module").Module


def test_the_version_is_that_of_the_build():
    namespace: dict[str, str] = {}
    version_file = Path(hubmodule.__file__).with_name("_version.py")
    exec(version_file.read_text(encoding="utf-8"), namespace)
    assert hubmodule.__version__ == namespace["__version__"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

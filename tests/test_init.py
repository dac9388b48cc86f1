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
    "TensorInfo",
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


def test_dir_lists_the_public_names_only():
    assert run("import hubmodule; print(*dir(hubmodule))").split() == hubmodule.__all__
    assert dir(hubmodule) == hubmodule.__all__


# -S leaves out the installed packages, TensorFlow among them.
def run_without_packages(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        cwd=Path(__file__).parents[1],
        check=False,
        capture_output=True,
        text=True,
    )


def test_without_tensorflow_the_package_can_be_imported():
    program = "import hubmodule as hub; print(hub.HubModuleError.__name__, hub.__version__)"
    done = run_without_packages("-c", program)
    assert done.stdout == f"HubModuleError {hubmodule.__version__}\n", done.stderr


@pytest.mark.parametrize("name", ["Module", "load", "enable_estimator"])
def test_without_tensorflow_a_name_that_needs_it_says_what_to_install(name):
    done = run_without_packages("-c", f"import hubmodule; hubmodule.{name}")
    last = done.stderr.splitlines()[-1]
    assert "hubmodule needs TensorFlow, which is not installed; install one: pip install" in last


def test_without_tensorflow_the_error_is_an_import_error():
    program = "try: from hubmodule import Module\nexcept ImportError as error: print(error)"
    done = run_without_packages("-c", program)
    assert done.stdout.startswith("hubmodule needs TensorFlow"), done.stderr


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

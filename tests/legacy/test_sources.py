"""The files that belong to a program."""

from __future__ import annotations

import sys
import zipfile

import pytest

from hubmodule._plain_errors import HubModuleError, SourceError
from hubmodule.legacy.sources import Sources, is_beside


@pytest.fixture
def program(tmp_path):
    for name in [
        "train.py",
        "model.py",
        "package/__init__.py",
        "package/layers.py",
        "venv/pyvenv.cfg",
        "venv/lib/library.py",
        "site-packages/installed.py",
        ".hidden/secret.py",
        "README.md",
    ]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("")
    return tmp_path


def test_a_directory_stands_for_its_python_files(program):
    found = [path.removeprefix(f"{program}/") for path in Sources([str(program)])]
    assert found == ["model.py", "train.py", "package/__init__.py", "package/layers.py"]


def test_imports_add_files_of_the_program_while_they_are_read(program):
    sources = Sources([str(program / "train.py")])
    read = []
    for path in sources:
        read.append(path.removeprefix(f"{program}/"))
        for name in ["model.Model", "package.layers.dense", "package", "numpy", "model"]:
            sources.add_imported(name, path)
    assert read == ["train.py", "model.py", "package/layers.py", "package/__init__.py"]
    assert sources.named == [str(program / "train.py")]


def test_own_modules(program):
    sources = Sources([str(program / "train.py")])
    train = str(program / "train.py")
    names = ("model", "package", "numpy")
    assert [sources.has_module(name, train) for name in names] == [True, True, False]


def test_modules_beside_a_script_are_its_own_and_not_those_beside_a_module_of_a_package(program):
    (program / "scripts").mkdir()
    for name in ("scripts/run.py", "scripts/helper.py"):
        (program / name).write_text("")
    sources = Sources([str(program)])
    assert sources.has_module("helper", str(program / "scripts" / "run.py"))
    assert not sources.has_module("helper", str(program / "train.py"))
    layers = str(program / "package" / "layers.py")
    (program / "package" / "helper.py").write_text("")
    assert not sources.has_module("helper", layers)
    assert is_beside("helper", layers)
    assert not is_beside("model", layers)


def test_files_named_themselves(program):
    train, model = str(program / "train.py"), str(program / "model.py")
    sources = Sources([train, model, str(program / "package")])
    sources.add_imported("model", train)
    layers = str(program / "package" / "layers.py")
    assert [sources.is_named(path) for path in (train, model, layers)] == [True, False, False]


def test_a_file_is_read_once(program):
    path = str(program / "train.py")
    assert list(Sources([path, path])) == [path]


def test_paths_that_are_not_there(tmp_path):
    with pytest.raises(SourceError, match=r"missing\.py does not exist") as caught:
        Sources([str(tmp_path / "missing.py")])
    assert isinstance(caught.value, HubModuleError)
    assert isinstance(caught.value, OSError)
    with pytest.raises(SourceError, match="has no Python files"):
        Sources([str(tmp_path)])


def test_links_that_lead_nowhere_or_around(program):
    (program / "nowhere.py").symlink_to("missing.py")
    (program / "itself.py").symlink_to("itself.py")
    (program / "package" / "up").symlink_to("..")
    assert [path.removeprefix(f"{program}/") for path in Sources([str(program)])] == [
        "model.py",
        "train.py",
        "package/__init__.py",
        "package/layers.py",
    ]


def test_a_zip_archive_is_not_read(tmp_path):
    path = tmp_path / "app.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__main__.py", "")
    with pytest.raises(SourceError, match=r"app\.zip is a zip archive; unpack it"):
        Sources([str(path)])


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

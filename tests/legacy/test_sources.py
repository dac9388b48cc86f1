"""The files that belong to a program."""

from __future__ import annotations

import sys

import pytest

from hubmodule._plain_errors import HubModuleError, SourceError
from hubmodule.legacy.sources import Sources


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
            sources.add_imported(name)
    assert read == ["train.py", "model.py", "package/layers.py", "package/__init__.py"]
    assert sources.named == [str(program / "train.py")]


def test_own_modules(program):
    sources = Sources([str(program / "train.py")])
    assert [sources.has_module(name) for name in ("model", "package", "numpy")] == [
        True,
        True,
        False,
    ]


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


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

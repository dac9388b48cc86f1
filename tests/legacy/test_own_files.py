"""The files of a program, and those of the libraries that it uses."""

from __future__ import annotations

import sys
import sysconfig

import pytest

from hubmodule.legacy.own_files import OwnFiles


def module(file, name="m", package=""):
    return {"__name__": name, "__package__": package, "__file__": str(file)}


@pytest.mark.parametrize(
    ("below", "own"),
    [
        ("train.py", True),
        ("package/deep/model.py", True),
        ("venv/lib/python3.11/site-packages/library/file.py", False),
        ("vendored/dist-packages/library/file.py", False),
        ("../elsewhere.py", False),
        ("../program2/file.py", False),
    ],
)
def test_files_below_the_directory(tmp_path, below, own):
    directory = tmp_path / "program"
    directory.mkdir()
    assert OwnFiles([str(directory)]).has_module(module(directory / below)) is own


def test_links_to_the_directory(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert OwnFiles([str(tmp_path / "link")]).has_module(module(tmp_path / "real/a.py"))
    assert OwnFiles([str(tmp_path / "real")]).has_module(module(tmp_path / "link/a.py"))


def test_packages_by_their_name(tmp_path):
    own = OwnFiles(packages=["bert"])
    assert own.has_module(module("/x/site-packages/bert/run.py", "bert.run", "bert"))
    assert own.has_module(module("/x/site-packages/bert/__init__.py", "bert", "bert"))
    assert not own.has_module(module("/x/site-packages/bert2/run.py", "bert2.run", "bert2"))


@pytest.mark.parametrize("package", ["hubmodule", "tensorflow"])
def test_packages_that_need_tensorflow_as_it_is(package):
    own = OwnFiles(["/checkout"], [package])
    assert not own.has_module(module(f"/checkout/{package}/a.py", f"{package}.a", package))
    assert not own.has_module(module(f"/checkout/{package}/__main__.py", "__main__", package))
    assert own.has_module(module("/checkout/train.py"))


def test_the_library_of_python_is_not_the_programs():
    # As in a program beside which Python is installed.
    own = OwnFiles([sys.base_prefix])
    assert not own.has_module(module(f"{sysconfig.get_paths()['stdlib']}/json/decoder.py"))
    assert own.has_module(module(f"{sys.base_prefix}/train.py"))


def test_code_without_a_file():
    own = OwnFiles(["/"])
    assert not own.has_module({"__name__": "made"})
    assert not own.has_module(None)


def test_files_of_another_program():
    own = OwnFiles(["/a"], ["x"])
    other = module("/b/f.py")
    assert not own.has_module(other)
    own.add(OwnFiles(["/b"], ["y"]))
    assert [own.has_module(module(f"/{name}/f.py")) for name in "abc"] == [True, True, False]
    assert own.packages == ("x", "y")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

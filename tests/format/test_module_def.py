"""module_def: tfhub_module.pb."""

from __future__ import annotations

import sys

import pytest

from hubmodule import module_def_pb2
from hubmodule.errors import ModuleFormatError
from hubmodule.format import module_def


def write_proto(directory, **fields) -> None:
    content = module_def_pb2.ModuleDef(**fields).SerializeToString()
    (directory / module_def.FILE_NAME).write_bytes(content)


def test_a_module_is_marked_by_two_bytes(tmp_path):
    assert not module_def.is_module(str(tmp_path))
    module_def.write(str(tmp_path))
    assert (tmp_path / "tfhub_module.pb").read_bytes() == b"\x08\x03"
    assert module_def.is_module(str(tmp_path))
    module_def.check(str(tmp_path))


@pytest.mark.parametrize("number", [0, 1, 4])
def test_an_unknown_format_is_named(tmp_path, number):
    write_proto(tmp_path, format=number)
    with pytest.raises(ModuleFormatError, match=f"has format {number}; .* reads format 3"):
        module_def.check(str(tmp_path))


def test_unknown_features_are_named(tmp_path):
    write_proto(tmp_path, format=3, required_features=["zip", "crypt"])
    with pytest.raises(ModuleFormatError, match=r"\['crypt', 'zip'\].*upgrade hubmodule"):
        module_def.check(str(tmp_path))


@pytest.mark.parametrize("content", [b"\x08", b"\x12\x05ab", b"<html>not found</html>"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "tfhub_module.pb").write_bytes(content)
    with pytest.raises(ModuleFormatError, match=r"tfhub_module\.pb is damaged: .* Fetch"):
        module_def.check(str(tmp_path))


def test_a_directory_in_the_place_of_the_file_is_damage(tmp_path):
    (tmp_path / "tfhub_module.pb").mkdir()
    with pytest.raises(ModuleFormatError, match=r"tfhub_module\.pb is damaged: .* Fetch"):
        module_def.check(str(tmp_path))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""module_def: tfhub_module.pb, and what a directory without one is."""

from __future__ import annotations

import re
import sys

import pytest

from hubmodule import module_def_pb2
from hubmodule.errors import HandleNotFoundError, ModuleFormatError, NotAModuleError
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


def test_what_is_not_there_does_not_exist(tmp_path):
    missing = str(tmp_path / "missing")
    with pytest.raises(HandleNotFoundError, match=re.escape(f"{missing} does not exist.")):
        module_def.check(missing)


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


class TestWhatItIsInstead:
    @pytest.mark.parametrize(
        ("files", "described"),
        [
            (["saved_model.pb"], r"plain SavedModel: use hub\.load\(\)"),
            (["saved_model.pbtxt"], r"hub\.create_module_spec_from_saved_model\(\)"),
            (["checkpoint", "model.ckpt-1.index"], "holds a checkpoint: restore it"),
            (["model.ckpt-1.index"], r"ModuleSpec\.export\(path, checkpoint_path=\.\.\.\)"),
            (["v2/tfhub_module.pb", "README"], "A module lies deeper, in v2: use that path"),
            ([], "The directory is empty"),
            (["b.txt", "a/x"], "There is a, b.txt: check the path"),
        ],
        ids=str,
    )
    def test_the_error_says_it(self, tmp_path, files, described):
        for name in files:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(b"")
        with pytest.raises(NotAModuleError, match=described) as caught:
            module_def.check(str(tmp_path))
        assert str(caught.value).startswith(
            f"{tmp_path} is not a TF1 Hub module: tfhub_module.pb is missing."
        )

    def test_a_file_is_no_directory(self, tmp_path):
        module_def.write(str(tmp_path))
        with pytest.raises(
            NotAModuleError, match=r"It is a file.*pass the one that the file is in"
        ):
            module_def.check(str(tmp_path / "tfhub_module.pb"))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

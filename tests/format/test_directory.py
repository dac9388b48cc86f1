"""directory: what lies at a path."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from hubmodule.errors import HandleNotFoundError, ModuleFormatError, NotAModuleError
from hubmodule.format import module_def
from hubmodule.format.directory import Directory, check_not_checkpoint, inspect_directory


def make_files(directory: Path, names: list[str]) -> None:
    for name in names:
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_bytes(b"")


def test_a_module_has_a_module_def(tmp_path: Path) -> None:
    module_def.write(str(tmp_path))
    make_files(tmp_path, ["saved_model.pb"])
    assert inspect_directory(str(tmp_path)) == Directory(str(tmp_path), is_module=True)


@pytest.mark.parametrize("name", ["saved_model.pb", "saved_model.pbtxt"])
def test_a_saved_model_has_graphs_only(name: str, tmp_path: Path) -> None:
    make_files(tmp_path, [name])
    assert inspect_directory(str(tmp_path)) == Directory(str(tmp_path), is_module=False)


def test_a_module_of_another_format_is_refused(tmp_path: Path) -> None:
    make_files(tmp_path, ["tfhub_module.pb"])
    with pytest.raises(ModuleFormatError, match="has format 0"):
        inspect_directory(str(tmp_path))


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with pytest.raises(HandleNotFoundError, match=re.escape(f"{missing} does not exist.")):
        inspect_directory(missing)


@pytest.mark.parametrize(
    ("names", "description"),
    [
        (["checkpoint", "model.ckpt-1.index"], "It holds a checkpoint"),
        (["model.ckpt-1.index"], r"ModuleSpec\.export\(path, checkpoint_path=\.\.\.\)"),
        (["config.json", "model.weights.h5"], "an unpacked Keras file"),
        (["model.keras"], r"the Keras file model\.keras\. Use keras\.models\.load_model"),
        (["v2/tfhub_module.pb", "README"], "A module lies deeper, in v2: use that path"),
        (["tfhub/saved_model.pb"], "A module lies deeper, in tfhub: use that path"),
        ([], "The directory is empty"),
        (["b.txt", "a/x"], r"There is a, b\.txt\. Check the path"),
    ],
    ids=str,
)
def test_the_contents_of_another_directory_are_described(
    names: list[str], description: str, tmp_path: Path
) -> None:
    make_files(tmp_path, names)
    with pytest.raises(NotAModuleError, match=description) as caught:
        inspect_directory(str(tmp_path))
    assert caught.value.message.startswith(
        f"{tmp_path} is not a module: it contains neither saved_model.pb nor saved_model.pbtxt. "
    )


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("tfhub_module.pb", r"it is a file\. Pass the directory that the file is in"),
        ("model.h5", "it is a Keras file"),
        ("model.index", "it is part of a checkpoint"),
        ("model.data-00000-of-00001", "it is part of a checkpoint"),
    ],
)
def test_a_file_is_described(name: str, description: str, tmp_path: Path) -> None:
    make_files(tmp_path, [name])
    with pytest.raises(NotAModuleError, match=f"{name} is not a module: {description}"):
        inspect_directory(str(tmp_path / name))


def test_the_prefix_of_a_checkpoint_is_described(tmp_path: Path) -> None:
    check_not_checkpoint(str(tmp_path / "model"))
    make_files(tmp_path, ["model.index"])
    with pytest.raises(NotAModuleError, match="is the prefix of a checkpoint"):
        check_not_checkpoint(str(tmp_path / "model"))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

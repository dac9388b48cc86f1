"""What is built: the generated protos, and the source distribution that carries them."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from hubmodule import (
    __version__,
    image_module_info_pb2,
    module_attachment_pb2,
    module_def_pb2,
)

ROOT = Path(__file__).parents[1]
PROTOS = sorted(path.stem for path in (ROOT / "proto").glob("*.proto"))
GENERATED = {
    "image_module_info": image_module_info_pb2,
    "module_attachment": module_attachment_pb2,
    "module_def": module_def_pb2,
}
# What the build reads of a checkout.
SOURCES = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "MANIFEST.in",
    "README.md",
    "hubmodule",
    "proto",
    "pyproject.toml",
    "setup.py",
]


def test_each_proto_has_its_module():
    assert list(GENERATED) == PROTOS


@pytest.mark.parametrize("name", GENERATED)
class TestGenerated:
    def test_the_file_has_a_name_of_its_own(self, name):
        """In a process, file names and full names of messages must be unique."""
        descriptor = GENERATED[name].DESCRIPTOR
        assert descriptor.name == f"hubmodule/{name}.proto"
        assert descriptor.package == "hubmodule"

    def test_every_supported_protobuf_can_import_it(self, name):
        """Code of protoc 26 and later refuses older runtimes, by its runtime_version."""
        tree = ast.parse(Path(GENERATED[name].__file__).read_text(encoding="utf-8"))
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        }
        assert "builder" in imported
        assert "runtime_version" not in imported


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (module_def_pb2.ModuleDef(format=3), b"\x08\x03"),
        (module_def_pb2.ModuleDef(format=3, required_features=["x"]), b"\x08\x03\x12\x01x"),
        (module_attachment_pb2.ModuleAttachment(key="k", value=b"\0"), b"\x0a\x01k\x12\x01\0"),
        (
            image_module_info_pb2.ImageModuleInfo(default_image_size={"height": 224, "width": 299}),
            b"\x0a\x06\x08\xe0\x01\x10\xab\x02",
        ),
    ],
    ids=["format", "features", "attachment", "image size"],
)
def test_messages_have_the_bytes_of_the_format(message, wire):
    assert message.SerializeToString(deterministic=True) == wire
    assert type(message).FromString(wire) == message


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what the build reads."""
    directory = tmp_path_factory.mktemp("build") / "checkout"
    directory.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy2(ROOT / name, directory)
    # Bazel keeps what it generated, even where the sources were checked out again since.
    for generated in directory.glob("hubmodule/*_pb2.py"):
        generated.touch()
    return directory


def build(directory: Path, what: str, **environment: str) -> Path:
    """Calls the build backend as pip does; returns what it built."""
    program = f"from setuptools import build_meta; print(build_meta.build_{what}('dist'))"
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=directory,
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return directory / "dist" / result.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def sdist(checkout):
    return build(checkout, "sdist")


class TestSourceDistribution:
    @pytest.fixture
    def files(self, sdist):
        with tarfile.open(sdist) as archive:
            return {name.partition("/")[2]: name for name in archive.getnames()}

    def test_is_named_by_the_version(self, sdist):
        assert sdist.name == f"hubmodule-{__version__}.tar.gz"

    def test_carries_the_generated_modules_and_their_protos(self, files):
        for name in PROTOS:
            assert {f"proto/{name}.proto", f"hubmodule/{name}_pb2.py"} <= files.keys()

    def test_carries_all_code(self, files):
        code = {str(path.relative_to(ROOT)) for path in (ROOT / "hubmodule").rglob("*.py")}
        assert code <= files.keys()

    def test_builds_a_wheel_without_a_protoc(self, sdist, tmp_path):
        with tarfile.open(sdist) as archive:
            archive.extractall(tmp_path, filter="data")
        [directory] = tmp_path.iterdir()
        wheel = build(directory, "wheel", PATH="", PROTOC="")
        assert wheel.name == f"hubmodule-{__version__}-py3-none-any.whl"
        with zipfile.ZipFile(wheel) as archive:
            assert {f"hubmodule/{name}_pb2.py" for name in PROTOS} <= set(archive.namelist())
            assert "hubmodule/py.typed" in archive.namelist()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

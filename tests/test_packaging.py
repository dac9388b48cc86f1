"""What is built: the generated protos, and the source distribution that carries them."""

from __future__ import annotations

import ast
import email
import email.policy
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from hubmodule import (
    __version__,
    image_module_info_pb2,
    module_attachment_pb2,
    module_def_pb2,
)

ROOT = Path(__file__).parents[1]
# Through the links that Bazel makes.
CHECKOUT = Path(__file__).resolve().parents[1]
PROTOS = sorted(path.stem for path in (ROOT / "proto").glob("*.proto"))
GENERATED = {
    "image_module_info": image_module_info_pb2,
    "module_attachment": module_attachment_pb2,
    "module_def": module_def_pb2,
}
# What a checkout has, and an sdist too.
SOURCES = [
    ".bazelignore",
    ".bazelrc",
    ".ci",
    ".github",
    ".pre-commit-config.yaml",
    "BUILD",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "MANIFEST.in",
    "MODULE.bazel",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "WORKSPACE",
    "WORKSPACE.bzlmod",
    "bazel",
    "benchmarks",
    "docs",
    "examples",
    "hubmodule",
    "proto",
    "pyproject.toml",
    "scripts",
    "setup.py",
    "tests",
]
REPOSITORY = "https://example.com/owner/hubmodule"


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
    """A copy of the checkout."""
    directory = tmp_path_factory.mktemp("build") / "checkout"
    directory.mkdir()
    for name in SOURCES:
        if not (ROOT / name).exists():  # Bazel gives a test what its target lists
            continue
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

    def test_carries_every_file_of_the_checkout(self, files, checkout):
        built = ("dist", "hubmodule.egg-info")
        paths = [path.relative_to(checkout) for path in checkout.rglob("*") if path.is_file()]
        wanted = {path.as_posix() for path in paths if path.parts[0] not in built}
        assert {"tests/test_packaging.py", "docs/index.md"} <= wanted
        assert sorted(wanted - files.keys()) == []

    def test_builds_a_wheel_without_a_protoc(self, sdist, tmp_path):
        with tarfile.open(sdist) as archive:
            archive.extractall(tmp_path, filter="data")
        [directory] = tmp_path.iterdir()
        wheel = build(directory, "wheel", PATH="", PROTOC="")
        assert wheel.name == f"hubmodule-{__version__}-py3-none-any.whl"
        with zipfile.ZipFile(wheel) as archive:
            assert {f"hubmodule/{name}_pb2.py" for name in PROTOS} <= set(archive.namelist())
            assert "hubmodule/py.typed" in archive.namelist()


def read_metadata(sdist: Path) -> EmailMessage:
    with tarfile.open(sdist) as archive:
        file = archive.extractfile(f"hubmodule-{__version__}/PKG-INFO")
        assert file is not None
        return email.message_from_bytes(file.read(), policy=email.policy.default)


def find_links(page: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", page)


class TestMetadata:
    def test_has_a_licence_and_types(self, sdist):
        metadata = read_metadata(sdist)
        assert metadata["License-Expression"] == "Apache-2.0"
        assert metadata["License-File"] == "LICENSE"
        assert "Typing :: Typed" in metadata.get_all("Classifier")
        assert metadata["Author"] == "The hubmodule contributors"

    def test_without_a_repository_has_no_links_into_it(self, sdist):
        metadata = read_metadata(sdist)
        assert metadata["Description-Content-Type"] == "text/markdown"
        page = metadata.get_payload()
        assert "Moving a pipeline over" in page
        assert find_links(page) == []
        assert metadata.get_all("Project-URL") is None

    def test_with_a_repository_links_lead_to_the_files_of_this_version(self, checkout):
        built = build(checkout, "sdist", HUBMODULE_REPOSITORY=f"{REPOSITORY}/")
        metadata = read_metadata(built)
        assert f"Repository, {REPOSITORY}" in metadata.get_all("Project-URL")
        links = find_links(metadata.get_payload())
        places = {f"{REPOSITORY}/{kind}/v{__version__}/": kind for kind in ("blob", "raw")}
        assert len(links) > 10
        for link in links:
            (place,) = [place for place in places if link.startswith(place)]
            assert (CHECKOUT / link.removeprefix(place)).is_file()
            assert (places[place] == "raw") == link.endswith(".png")

    def test_an_sdist_keeps_the_repository(self, checkout, tmp_path):
        built = build(checkout, "sdist", HUBMODULE_REPOSITORY=REPOSITORY)
        with tarfile.open(built) as archive:
            archive.extractall(tmp_path, filter="data")
        again = build(tmp_path / f"hubmodule-{__version__}", "sdist")
        assert read_metadata(again).get_payload() == read_metadata(built).get_payload()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

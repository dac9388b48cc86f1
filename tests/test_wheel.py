"""The wheel and the Bazel target //hubmodule hold the same package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hubmodule
from tests.build_files import Workspace

# In Bazel's runfiles the generated code is in the package, beside links to the sources.
PACKAGE = Path(hubmodule.__file__).parent
ROOT = Path(__file__).resolve().parents[1]

BUILD_WHEEL = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
# Public names are looked up lazily; what one lacks on this machine is part of the answer.
DESCRIBE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import hubmodule
assert hubmodule.__file__.startswith(sys.argv[1]), hubmodule.__file__
found = {}
for name in hubmodule.__all__:
    try:
        found[name] = repr(type(getattr(hubmodule, name)))
    except Exception as error:
        found[name] = repr(error)
print(json.dumps(found))
"""


def python(*arguments: str, cwd: Path) -> str:
    """Runs this interpreter; what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of the checkout, unpacked."""
    directory = tmp_path_factory.mktemp("wheel")
    project = directory / "project"
    for part in ["proto", "hubmodule"]:
        shutil.copytree(
            ROOT / part, project / part, ignore=shutil.ignore_patterns("__pycache__", "*_pb2.py")
        )
    for file in ["LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py"]:
        shutil.copyfile(ROOT / file, project / file)
    # Newer than the protos, so that no protoc is needed.
    for file in PACKAGE.glob("*_pb2.py"):
        (project / "hubmodule" / file.name).write_bytes(file.read_bytes())
        newest = max(proto.stat().st_mtime for proto in (project / "proto").iterdir()) + 1
        os.utime(project / "hubmodule" / file.name, (newest, newest))
    python("-c", BUILD_WHEEL, str(directory), cwd=project)
    (file,) = directory.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(directory / "unpacked")
    return directory / "unpacked"


@pytest.fixture(scope="module")
def target() -> list[str]:
    """The files of //hubmodule."""
    return sorted(Workspace(ROOT).sources("//hubmodule:hubmodule"))


@pytest.fixture(scope="module")
def target_directory(target, tmp_path_factory) -> Path:
    """A directory that holds //hubmodule and nothing else."""
    directory = tmp_path_factory.mktemp("target")
    for file in target:
        (directory / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE.parent / file, directory / file)
    return directory


def test_same_files(wheel, target):
    files = [path.relative_to(wheel).as_posix() for path in wheel.glob("hubmodule/**/*.*")]
    # The marker for type checkers is data of its target, not a source.
    assert sorted(files) == sorted([*target, "hubmodule/py.typed"])


def test_same_public_names(wheel, target_directory):
    in_wheel, in_target = (
        json.loads(python("-c", DESCRIBE, str(directory), cwd=directory).splitlines()[-1])
        for directory in (wheel, target_directory)
    )
    assert set(in_wheel) == set(hubmodule.__all__)
    assert in_target == in_wheel


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

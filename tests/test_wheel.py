"""The wheel holds the package: that of the checkout, or under Bazel that of //hubmodule."""

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


def files_of(package: Path) -> list[str]:
    """Lists the files of a package, without what Python has compiled."""
    files = [path.relative_to(package) for path in package.rglob("*.*") if path.is_file()]
    return sorted(file.as_posix() for file in files if "__pycache__" not in file.parts)


def describe(directory: Path) -> dict[str, str]:
    """Describes the public names of the package in a directory."""
    return json.loads(python("-c", DESCRIBE, str(directory), cwd=directory).splitlines()[-1])


def test_same_files(wheel):
    assert files_of(wheel / "hubmodule") == files_of(PACKAGE)


def test_same_public_names(wheel):
    in_wheel = describe(wheel)
    assert set(in_wheel) == set(hubmodule.__all__)
    assert in_wheel == describe(PACKAGE.parent)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

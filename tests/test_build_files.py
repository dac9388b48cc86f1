"""Bazel's targets are complete: every file is in one, and has what it imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build_files import Workspace

# Through the links that Bazel makes, to the checkout: a file that is in no target has none.
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return Workspace(ROOT)


def python_files(workspace: Workspace) -> list[str]:
    return [f for f in workspace.files if f.endswith(".py") and not f.endswith("_pb2.py")]


def is_test(file: str) -> bool:
    return file.startswith("tests/") and Path(file).name.startswith("test_")


def in_no_target(workspace: Workspace, files: list[str]) -> set[str]:
    return set(files).difference(*(target.srcs for target in workspace.targets.values()))


def imported(file: str, workspace: Workspace) -> Iterator[str]:
    """The project's own files that `file` imports, the generated ones among them."""
    generated = {name for target in workspace.targets.values() for name in target.srcs}
    known = generated.union(workspace.files)
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            path = name.replace(".", "/")
            yield from {f"{path}.py", f"{path}/__init__.py"} & known


def test_every_python_file_is_in_a_target(workspace):
    assert in_no_target(workspace, python_files(workspace)) == set()


def test_every_proto_is_in_a_target(workspace):
    protos = [file for file in workspace.files if file.endswith(".proto")]
    assert "proto/module_def.proto" in protos
    assert in_no_target(workspace, protos) == set()


def test_there_are_as_many_test_targets_as_test_files(workspace):
    targets = [target for target in workspace.targets.values() if target.rule == "py_test"]
    files = [file for file in python_files(workspace) if is_test(file)]
    assert sorted(sorted(target.srcs) for target in targets) == [[file] for file in sorted(files)]


def test_every_test_file_runs_as_a_program(workspace):
    last = "    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))\n"
    files = [file for file in python_files(workspace) if is_test(file)]
    silent = [file for file in files if not (ROOT / file).read_text().endswith(last)]
    assert silent == []


def test_every_target_depends_on_what_its_files_import(workspace):
    missing = {}
    for label, target in workspace.targets.items():
        if not target.rule.startswith("py_"):
            continue
        there = workspace.sources(label)
        for file in sorted(target.srcs & set(workspace.files)):
            # What the package itself imports is for type checkers.
            if file.endswith("_pb2.py") or file == "hubmodule/__init__.py":
                continue
            # A name of the package itself is looked up lazily, in any room.
            wanted = set(imported(file, workspace)) - {"hubmodule/__init__.py"}
            if wanted - there:
                missing[label, file] = wanted - there
    assert missing == {}


def test_only_the_whole_package_is_public(workspace):
    visible = {
        label: target.visibility
        for label, target in workspace.targets.items()
        if label.startswith("//hubmodule:") and target.visibility != ("//visibility:private",)
    }
    assert visible == {"//hubmodule:hubmodule": ("//visibility:public",)}


@pytest.fixture
def small_workspace(tmp_path) -> Path:
    (tmp_path / ".bazelignore").write_text("build\n")
    for file in ["a.py", "inner/b.py", "inner/deep/c.py", "build/d.py"]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / "BUILD").write_text('py_library(name = "all", srcs = glob(["**/*.py"]))\n')
    (tmp_path / "inner" / "BUILD").touch()
    return tmp_path


def test_a_glob_ends_at_another_package(small_workspace):
    assert Workspace(small_workspace).targets["//:all"].srcs == {"a.py"}


def test_a_file_in_no_target_is_seen(small_workspace):
    workspace = Workspace(small_workspace)
    expected = {"inner/b.py", "inner/deep/c.py"}
    assert in_no_target(workspace, python_files(workspace)) == expected


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

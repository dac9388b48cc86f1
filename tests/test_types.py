"""What type checkers and editors see of the public names."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hubmodule

ROOT = Path(__file__).parents[1]
LOCAL_PYRIGHT = ROOT / ".cache" / "pyright" / "node_modules" / ".bin" / "pyright"

# A program of a user. Each line that ends in "# wrong" has one mistake.
PROGRAM = """\
import hubmodule as hub


def publish(path: str) -> None:
    spec = hub.create_module_spec(lambda: None, tags_and_args=[(set(), {})])
    spec.export(path, checkpoint_path="model.ckpt")
    infos: dict[str, hub.TensorInfo] = spec.get_input_info_dict("default")
    hub.Modul(spec)  # wrong
    hub.Module(spec, trainabel=True)  # wrong
    size: str = hub.get_num_image_channels(spec)  # wrong
    try:
        hub.resolve("https://example.com/module/1")
    except hub.HubModuleError as error:
        print(error.message, infos, size)
"""
WRONG = [number for number, line in enumerate(PROGRAM.splitlines(), 1) if "# wrong" in line]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The path of the program."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def test_the_imports_for_type_checkers_are_those_of_python() -> None:
    tree = ast.parse(Path(hubmodule.__file__).read_text(encoding="utf-8"))
    [block] = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    seen = {
        alias.name: statement.module
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    # hubmodule.errors takes the base of all errors from a module without TensorFlow, and the
    # layer that a program gets depends on its Keras; both layers take the same arguments.
    seen["HubModuleError"] = "hubmodule._plain_errors"
    seen["KerasLayer"] = "hubmodule.keras.keras_layer"
    assert seen == hubmodule._DEFINED_IN
    assert sorted([*seen, "__version__"]) == hubmodule.__all__


def test_mypy_finds_the_mistakes_of_a_program(program: Path) -> None:
    pytest.importorskip("mypy")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file=", "--ignore-missing-imports"),
            *("--follow-imports=silent", "--no-error-summary", "--show-error-codes"),
            *("--cache-dir", os.devnull, str(program)),
        ],
        cwd=program.parent,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    found = [line.split(":", 2)[1:] for line in done.stdout.splitlines() if "error:" in line]
    assert [int(number) for number, _ in found] == WRONG, done.stdout + done.stderr
    assert 'has no attribute "Modul"' in found[0][1]
    assert 'Unexpected keyword argument "trainabel"' in found[1][1]
    assert 'has type "int"' in found[2][1]


def test_pyright_finds_the_mistakes_of_a_program(program: Path) -> None:
    pyright = str(LOCAL_PYRIGHT) if LOCAL_PYRIGHT.exists() else shutil.which("pyright")
    if pyright is None:
        pytest.skip("pyright is not installed: make check installs it, where there is npm")
    config = {"extraPaths": [str(ROOT)], "include": [str(program)]}
    (program.parent / "pyrightconfig.json").write_text(json.dumps(config))
    done = subprocess.run(
        [pyright, "--outputjson", "--pythonpath", sys.executable],
        cwd=program.parent,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert [error["range"]["start"]["line"] + 1 for error in found] == WRONG, found
    assert [error["rule"] for error in found] == [
        "reportAttributeAccessIssue",
        "reportCallIssue",
        "reportAssignmentType",
    ]


def test_jedi_completes_names_and_arguments() -> None:
    jedi = pytest.importorskip("jedi")
    project = jedi.Project(ROOT, added_sys_path=[str(ROOT)])
    names = jedi.Script("import hubmodule as hub\nhub.Mod", project=project).complete(2, 7)
    # jedi ignores the case, and so offers files of the package as well.
    classes = [name.name for name in names if name.name.startswith("Mod")]
    assert classes == ["Module", "ModuleApplier", "ModuleSpec"]
    [signature] = jedi.Script(
        "import hubmodule as hub\nhub.Module(", project=project
    ).get_signatures()
    assert [p.name for p in signature.params] == ["spec", "trainable", "name", "tags"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

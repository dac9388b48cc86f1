"""Whatever is damaged in a module, the error is one of this package, and the process lives.

`python -m tests.damage` tries as many cases as wanted; this is a small part of them.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

import hubmodule as hub
from hubmodule.errors import ModuleFormatError
from tests.damage.mutations import copy, damage
from tests.processes import output_of, run_python

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "made_by_tf215"
CASES = 44


def changed(tmp_path: Path, name: str, change) -> str:
    """A copy of a golden module with another graph."""
    copy(GOLDEN / name, tmp_path / name)
    path = tmp_path / name / "saved_model.pb"
    saved_model = SavedModel.FromString(path.read_bytes())
    change(saved_model.meta_graphs[0])
    path.write_bytes(saved_model.SerializeToString())
    return str(tmp_path / name)


def test_the_same_seed_is_the_same_damage(tmp_path: Path) -> None:
    for seed in range(10):
        copies = [tmp_path / f"{seed}_{index}" for index in range(2)]
        for directory in copies:
            copy(GOLDEN / "control_flow_v2", directory)
        assert damage(copies[0], seed) == damage(copies[1], seed)
        files = [{p.name: p.read_bytes() for p in d.rglob("*") if p.is_file()} for d in copies]
        assert files[0] == files[1]
        shutil.rmtree(copies[0])


def test_no_case_ends_in_a_foreign_error_a_crash_or_a_hang(tmp_path: Path) -> None:
    """In a process that has run nothing in TensorFlow yet, as the cases are forks of it."""
    file = tmp_path / "results.json"
    done = run_python("-m", "tests.damage", "--cases", str(CASES), "--json", str(file))
    assert done.returncode == 0, done.stderr[-2000:]
    cases = json.loads(file.read_text())
    assert len(cases) == CASES
    unwanted = {"raw error", "crash", "hang"}
    assert [c for c in cases if unwanted & {result["outcome"] for result in c["results"]}] == []
    # The damage is real, and not all of it is noticed where it makes no difference.
    refused = sum(any(result["outcome"] == "refused" for result in c["results"]) for c in cases)
    assert CASES / 4 < refused < CASES


def drop_body(graph) -> None:
    functions = graph.graph_def.library.function
    functions.remove(next(f for f in functions if "while_body" in f.signature.name))


def mistype_constant(graph) -> None:
    node = next(node for node in graph.graph_def.node if node.name == "Add/y")
    node.attr["value"].tensor.dtype = 20


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("control_flow_v2", drop_body, "calls function"),
        ("placed", mistype_constant, "Constant 'Add/y' has a value of type resource"),
    ],
)
def test_what_ended_the_process_is_an_error(tmp_path: Path, name: str, change, message) -> None:
    path = changed(tmp_path, name, change)
    program = f"""
        import hubmodule as hub, tensorflow as tf
        with hub.eval_function_for_module({path!r}) as f:
            try:
                f([[1.0, 2.0]] if {name!r} == "control_flow_v2" else [1.0])
            except hub.HubModuleError as error:
                print(type(error).__name__, error)"""
    [line] = output_of(program)
    assert line.startswith("ModuleFormatError")
    assert message in line


def test_the_error_says_which_module_and_which_op(tmp_path: Path) -> None:
    def cut(graph) -> None:
        graph.graph_def.node.remove(next(n for n in graph.graph_def.node if n.name == "Add/y"))

    path = changed(tmp_path, "placed", cut)
    with tf.Graph().as_default(), pytest.raises(ModuleFormatError) as caught:
        hub.Module(path)(tf.zeros([2, 2]))
    assert path in str(caught.value)
    assert "Op 'Add' refers to op 'Add/y', which is not in the graph." in str(caught.value)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

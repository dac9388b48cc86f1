"""Tests of hubmodule.commands.audit."""

from __future__ import annotations

import json
import pathlib
import sys

import pytest

from hubmodule.auditing.ops import RISKY_OPS
from tests.auditing.hostile import Hostile, Naming, Place, harmless_graph
from tests.auditing.protos import MetaGraphDef, constant, meta_graph, node, write_module
from tests.commands.running import Result


def graphs_of(op: str, naming: Naming = Naming.CONSTANT) -> list[MetaGraphDef]:
    return Hostile(RISKY_OPS[op], naming, Place.SIGNATURE).meta_graphs()


@pytest.fixture
def hostile(tmp_path: pathlib.Path) -> str:
    return write_module(tmp_path / "hostile", *graphs_of("ReadFile"))


def test_a_finding(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "audit", hostile)
    assert (result.status, result.err) == (1, "")
    assert result.out == (
        "high    ReadFile reads files\n"
        "        uses   '/etc/passwd'\n"
        "        where  node 'risky' in the variant without tags\n"
        "        when   run by signature 'default'\n"
        "        why    Returns the whole content of a file.\n"
        "\n"
        f"1 high finding in 1 graph, 1 function and 4 nodes of {hostile}\n"
    )


def test_no_finding(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_module(tmp_path / "m", harmless_graph())
    result = Result(capsys, "audit", path)
    assert (result.status, result.err) == (0, "")
    assert result.out == (
        f"No findings in 1 graph, 0 functions and 2 nodes of {path}\n"
        "This does not prove that the module only computes.\n"
    )


def test_it_never_says_safe(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_module(tmp_path / "m", harmless_graph())
    for arguments in ([path], [path, "--json"], ["--help"]):
        try:
            out = Result(capsys, "audit", *arguments).out
            assert "safe" not in out.replace(path, "").lower()
        except SystemExit:
            assert "safe" not in capsys.readouterr().out.lower()


@pytest.mark.parametrize(
    ("op", "naming", "statuses"),
    [
        ("ReadFile", Naming.CONSTANT, [1, 1, 1, 1]),
        ("ReadFile", Naming.FED, [1, 1, 1, 0]),
        ("PrintV2", Naming.CONSTANT, [0, 1, 0, 0]),
    ],
)
def test_the_status_depends_on_the_level(
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    op: str,
    naming: Naming,
    statuses: list[int],
) -> None:
    path = write_module(tmp_path / "m", *graphs_of(op, naming))
    options = [[], ["--fail-on", "low"], ["--fail-on", "medium"], ["--fail-on", "high"]]
    assert [Result(capsys, "audit", path, *option).status for option in options] == statuses


def test_alike_findings_are_shown_once(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = [node(f"n{i}", "Abort") for i in range(5)]
    path = write_module(tmp_path / "m", meta_graph(nodes))
    out = Result(capsys, "audit", path).out
    first_line, _, rest = out.partition("\n")
    assert first_line == "medium  Abort ends or blocks the process (5 nodes, the first is shown)"
    assert "Abort" not in rest
    assert "5 medium findings" in out


def test_json(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "audit", hostile, "--json")
    assert result.status == 1
    report = json.loads(result.out)
    assert [finding["op"] for finding in report["findings"]] == ["ReadFile"]


def test_sarif(hostile: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "audit", hostile, "--sarif", str(tmp_path / "log.sarif"))
    assert result.out.startswith("high    ReadFile")
    log = json.loads((tmp_path / "log.sarif").read_text())
    assert log["version"] == "2.1.0"


@pytest.mark.parametrize("arguments", [["/no/such/module"], ["https://"]])
def test_what_cannot_be_read_has_a_status_of_its_own(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(capsys, "audit", *arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("hubmodule: error: ")


def test_a_sarif_file_that_cannot_be_written(
    hostile: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "no" / "log"
    result = Result(capsys, "audit", hostile, "--sarif", str(path))
    assert (result.status, result.out) == (2, "")
    assert result.err == (
        f"hubmodule: error: {path} cannot be written: No such file or directory. Check its "
        "directory and the permissions, or choose another path.\n"
    )


def test_sarif_on_standard_output(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "audit", hostile, "--sarif", "-")
    assert json.loads(result.out)["version"] == "2.1.0"
    assert result.status == 1
    both = Result(capsys, "audit", hostile, "--sarif", "-", "--json")
    assert (both.status, both.out) == (2, "")


def test_an_empty_path_is_a_usage_error(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        Result(capsys, "audit", hostile, "--sarif", "")
    assert caught.value.code == 2
    assert "argument --sarif: the path is empty" in capsys.readouterr().err


def test_damage(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = harmless_graph()
    graph.collection_def["saved_model_assets"].any_list.value.add(value=b"\xff")
    result = Result(capsys, "audit", write_module(tmp_path / "m", graph))
    assert result.status == 2
    assert "damaged: An entry of the collection of assets cannot be read.\n" in result.err


def test_a_finding_in_a_damaged_file(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = pathlib.Path(hostile, "saved_model.pb")
    path.write_bytes(path.read_bytes() + b"\x12\x7f\x01")
    result = Result(capsys, "audit", hostile)
    assert result.status == 1
    assert result.out.startswith("high    ReadFile")
    assert "hubmodule: damaged: saved_model.pb is damaged: " in result.err


def test_names_cannot_write_to_the_terminal(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b[2J\rNo findings\n"
    nodes = [constant("c", evil), node(evil, "ReadFile", "c")]
    result = Result(capsys, "audit", write_module(tmp_path / "m", meta_graph(nodes)))
    assert "\x1b" not in result.out
    assert "\nNo findings" not in result.out


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

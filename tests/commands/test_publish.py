"""Tests of hubmodule.commands.publish."""

from __future__ import annotations

import json
import pathlib
import shutil
import sys

import pytest

from hubmodule._plain_errors import PublishError
from hubmodule.errors import UnregisteredOpsError
from tests.commands.running import Result

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
DENSE = str(GOLDEN / "made_by_tf215" / "dense_regularized")


def test_publish(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub = str(tmp_path / "hub")
    (tmp_path / "README.md").write_text("Text.")
    arguments = [
        "publish",
        DENSE,
        hub,
        "--as",
        "team/dense",
        "--readme",
        str(tmp_path / "README.md"),
    ]
    result = Result(capsys, *arguments)
    assert result.status == 0
    facts = json.loads((tmp_path / "hub/team/dense/1/facts.json").read_text())
    assert result.out.splitlines() == [
        f"Published team/dense/1 in {hub}, 2.1 kB",
        f"  pin     #sha256={facts['archive']['sha256']}",
        "  audit   no findings, which does not prove that the module only computes",
    ]
    assert (tmp_path / "hub/team/dense/1/README.md").read_text() == "Text."
    again = Result(capsys, *arguments)
    assert again.status == 0
    assert again.out.startswith(
        f"team/dense/1 in {hub} has this content already; nothing is changed\n"
    )


def test_publish_with_json(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(capsys, "publish", DENSE, str(tmp_path), "--as", "team/dense/4", "--json")
    archive = (tmp_path / "team/dense/4/module.tar.gz").read_bytes()
    printed = json.loads(result.out)
    assert printed == {
        "handle": "team/dense/4",
        "is_new": True,
        "bytes": len(archive),
        "sha256": printed["sha256"],
    }


def test_other_content(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = tmp_path / "module"
    shutil.copytree(DENSE, module)
    hub = str(tmp_path / "hub")
    Result(capsys, "publish", str(module), hub, "--as", "team/dense/1")
    (module / "more").write_text("x")
    refused = Result(capsys, "publish", str(module), hub, "--as", "team/dense/1")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith(f"hubmodule: error: The hub {hub} has team/dense/1 already")


@pytest.mark.parametrize(
    ("name", "text"),
    [("dense", "is not the name of a module"), ("team/.dense", "cannot be a name in a hub")],
)
def test_other_names(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    refused = Result(capsys, "publish", DENSE, str(tmp_path / "hub"), "--as", name)
    assert refused.status == 1
    assert text in refused.err


def test_a_readme_that_is_missing(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = Result(capsys, "publish", DENSE, str(tmp_path), "--as", "a/b", "--readme", "/none")
    assert (refused.status, refused.err) == (
        1,
        "hubmodule: error: /none cannot be read: No such file or directory.\n",
    )


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (PublishError("It reads. Pass allow_findings=True."), "Pass --allow-findings.\n"),
        (UnregisteredOpsError("Needs ops."), "For this command, add --import PACKAGE.\n"),
    ],
)
def test_the_advice_is_for_the_command_line(
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    advice: str,
) -> None:
    def fail(directory: str, allow_findings: bool) -> None:
        assert allow_findings
        raise error

    monkeypatch.setattr("hubmodule.hosting.publishing.check_module", fail)
    arguments = ["publish", DENSE, str(tmp_path), "--as", "a/b", "--allow-findings"]
    assert Result(capsys, *arguments).err.endswith(advice)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

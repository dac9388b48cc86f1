"""The scanners that `make scanners` compares: how each is run, and which modules it reports."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / ".cache" / "scanners"
# They send nothing about their use to anybody.
_QUIET = {"NO_ANALYTICS": "1", "DO_NOT_TRACK": "1", "PROMPTFOO_DISABLE_TELEMETRY": "1"}
_GRAPH = "/saved_model.pb"
# Scans directories that are on standard input, a line each, in one process.
_SAVED_MODEL_CLI = """
import contextlib, io, sys
from absl import flags
from tensorflow.python.tools import saved_model_cli
flags.FLAGS(sys.argv[:1])
for directory in sys.stdin.read().splitlines():
    flags.FLAGS.dir = directory
    with contextlib.redirect_stdout(io.StringIO()) as out:
        saved_model_cli.scan()
    if "contains the following denylisted ops" in out.getvalue():
        print(directory)
"""


@dataclass(frozen=True)
class Scanner:
    """A scanner of SavedModels.

    Attributes:
        name: The command that runs it.
        requirement: The requirement to install in a separate environment; "" if there is none.
        alarms: Scans a folder of modules; gives the names of those it raises an alarm for.
    """

    name: str
    requirement: str
    alarms: Callable[[pathlib.Path], set[str]]

    @property
    def version(self) -> str:
        """The version that is installed; "" if there is no requirement."""
        return self.requirement.partition("==")[2]


def make_environment(scanner: Scanner) -> None:
    """Installs a scanner, unless that was done before."""
    if not scanner.requirement:
        return
    folder = _find_environment(scanner.requirement)
    if (folder / ".done").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, scanner.requirement], check=True)
    (folder / ".done").touch()


def find_modules(corpus: pathlib.Path) -> list[str]:
    """Lists the names of the modules in a folder."""
    return sorted(path.parent.name for path in corpus.glob("*/saved_model.pb"))


def read_modelscan_alarms(report: str) -> set[str]:
    """Reads the modules with an issue in a report of modelscan."""
    return {issue["source"].partition("/")[0] for issue in json.loads(report)["issues"]}


def read_modelaudit_alarms(report: str) -> set[str]:
    """Reads the modules with a warning or worse in a report of modelaudit."""
    return {
        pathlib.PurePath(issue["location"].partition(_GRAPH)[0]).name
        for issue in json.loads(report)["issues"]
        if issue["severity"] in ("warning", "critical") and _GRAPH in (issue["location"] or "")
    }


def _find_environment(requirement: str) -> pathlib.Path:
    return ENVIRONMENTS / requirement.partition("==")[0].partition("[")[0]


def _run_modelscan(corpus: pathlib.Path) -> set[str]:
    program = _find_environment("modelscan") / "bin" / "modelscan"
    report = corpus.parent / "modelscan.json"
    # Status 2 is for files that it could not scan; the report has what it found in the others.
    _run([str(program), "-p", str(corpus), "-r", "json", "-o", str(report)], expected=(0, 1, 2))
    return read_modelscan_alarms(report.read_text())


def _run_modelaudit(corpus: pathlib.Path) -> set[str]:
    program = _find_environment("modelaudit") / "bin" / "modelaudit"
    report = corpus.parent / "modelaudit.json"
    command = [str(program), "scan", str(corpus), "-f", "json", "--no-whitelist", "--no-cache"]
    _run([*command, "-o", str(report)], expected=(0, 1))
    return read_modelaudit_alarms(report.read_text())


def _run_saved_model_cli(corpus: pathlib.Path) -> set[str]:
    directories = [str(corpus / name) for name in find_modules(corpus)]
    out = _run([sys.executable, "-c", _SAVED_MODEL_CLI], input="\n".join(directories))
    return {pathlib.PurePath(line).name for line in out.splitlines()}


def _run_hubmodule(corpus: pathlib.Path) -> set[str]:
    from hubmodule.auditing.risks import Level
    from hubmodule.inspection.audit import audit

    return {name for name in find_modules(corpus) if audit(corpus / name).at_least(Level.MEDIUM)}


def _run(command: list[str], expected: Iterable[int] = (0,), input: str | None = None) -> str:
    environment = {**os.environ, **_QUIET, "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.run(command, input=input, capture_output=True, text=True, env=environment)
    if run.returncode not in expected:
        raise RuntimeError(f"{command[0]} ended with {run.returncode}: {run.stderr[-2000:]}")
    return run.stdout


SCANNERS = (
    Scanner("hubmodule audit", "", _run_hubmodule),
    Scanner("modelaudit", "modelaudit==0.2.54", _run_modelaudit),
    Scanner("modelscan", "modelscan[tensorflow]==0.8.8", _run_modelscan),
    Scanner("saved_model_cli scan", "", _run_saved_model_cli),
)

"""Compares the audit with other scanners, and writes the result into docs/auditing.md.

    make scanners [DATA="DIR DIR"]

The corpus has hostile modules, for each risky op and for each evasion that was found, and harmless
ones: those of tests/golden, converted ones, and those in the directories that are given. Hostile
modules are messages in files; they are scanned, and nothing loads or runs them.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from hubmodule._version import __version__
from hubmodule.auditing.risks import Level, Risk
from hubmodule.inspection.audit import audit
from hubmodule.tf2.convert import convert
from scripts import auditing_page
from scripts.scanners import ROOT, SCANNERS, Scanner, find_modules, make_environment
from tests.auditing.evasions import EVASIONS, Evasion
from tests.auditing.hostile import Hostile, Naming, Place, corpus
from tests.auditing.protos import write_module

GOLDEN = ROOT / "tests" / "golden"
_CONVERTED = ("vocabulary", "dense_regularized")


@dataclass(frozen=True)
class Score:
    """The result of a scanner on the corpus.

    Attributes:
        caught: The hostile modules that it raised an alarm for.
        false_alarms: The harmless modules that it raised an alarm for.
    """

    caught: frozenset[str]
    false_alarms: frozenset[str]


def main() -> None:
    """Makes the environments and the corpus, runs all scanners, and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=pathlib.Path, help="of harmless modules")
    folders = parser.parse_args().folders
    for scanner in SCANNERS:
        make_environment(scanner)
    with tempfile.TemporaryDirectory() as folder:
        directory = pathlib.Path(folder) / "corpus"
        hostile = {module.name: module for module in (*corpus(), *EVASIONS)}
        for name, module in hostile.items():
            write_module(directory / name, *module.meta_graphs())
        _add_harmless(directory, folders)
        rest = sorted(set(find_modules(directory)) - hostile.keys())
        lacking = [name for name in rest if _only_lacks_a_package(directory / name)]
        harmless = [name for name in rest if name not in lacking]
        scores = {}
        for scanner in SCANNERS:
            scores[scanner] = _make_score(scanner.alarms(directory), hostile, harmless)
            print(scanner.name, "missed:", *sorted(hostile.keys() - scores[scanner].caught)[:20])
            print(scanner.name, "false alarms:", *sorted(scores[scanner].false_alarms))
    text = write_comparison(scores, hostile, len(harmless), lacking)
    auditing_page.replace_section("scanners", text)
    print(text)


def write_comparison(
    scores: Mapping[Scanner, Score],
    hostile: Mapping[str, Hostile | Evasion],
    harmless: int,
    lacking: Sequence[str],
) -> str:
    """Makes the section of the page that compares scanners.

    Args:
        scores: The score of each scanner, by its name.
        hostile: The hostile modules by name.
        harmless: The number of harmless modules.
        lacking: The modules that are in neither, since they need a package that was not
            installed.
    """
    groups = _group(hostile)
    header = ["scanner", *groups, "caught", "missed", "false alarms"]
    rows = [header, ["---"] * len(header)]
    for scanner, score in scores.items():
        counts = [f"{len(names & score.caught)} of {len(names)}" for names in groups.values()]
        missed = len(hostile) - len(score.caught)
        total = [str(len(score.caught)), str(missed), f"{len(score.false_alarms)} of {harmless}"]
        rows.append([f"`{scanner.name}` {_find_version(scanner)}", *counts, *total])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    note = (
        f"\n\nMeasured on TensorFlow {tf.__version__} with {len(hostile)} hostile and {harmless} "
        "harmless modules."
    )
    if lacking:
        names = ", ".join(f"`{name}`" for name in lacking)
        note += (
            " Left out, because they need a package that was not installed, which `hubmodule "
            f"audit` names in findings of level medium: {names}."
        )
    return table + note


def _find_version(scanner: Scanner) -> str:
    if scanner.name == "hubmodule audit":
        return __version__
    return scanner.version or f"of TensorFlow {tf.__version__}"


def _group(modules: Mapping[str, Hostile | Evasion]) -> dict[str, set[str]]:
    """Groups modules by the kind of their name, by the place where they hide, or as evasions."""
    groups: dict[str, set[str]] = {}
    hostile = {name: module for name, module in modules.items() if isinstance(module, Hostile)}
    for naming in Naming:
        groups[f"{naming.value} name"] = {
            name
            for name, module in hostile.items()
            if module.naming is naming and module.place is Place.SIGNATURE
        }
    for place in Place:
        if place is not Place.SIGNATURE:
            groups[f"in a {place.value}".replace("a i", "an i")] = {
                name for name, module in hostile.items() if module.place is place
            }
    return {**groups, "by an evasion": modules.keys() - hostile.keys()}


def _make_score(
    alarms: set[str], hostile: Mapping[str, Hostile | Evasion], harmless: Sequence[str]
) -> Score:
    return Score(frozenset(alarms & hostile.keys()), frozenset(alarms & set(harmless)))


def _add_harmless(directory: pathlib.Path, folders: Sequence[pathlib.Path]) -> None:
    """Adds the modules of tests/golden, some of them converted, and those in folders."""
    for path in sorted(GOLDEN.glob("made_by_*/*/saved_model.pb")):
        maker = path.parent.parent.name
        shutil.copytree(path.parent, directory / f"{maker}-{path.parent.name}")
    for name in _CONVERTED:
        for kind in ("reusable", "serving"):
            source = GOLDEN / "made_by_tf215" / name
            convert(str(source), str(directory / f"{kind}-{name}"), kind)
    for folder in folders:
        for path in sorted(folder.glob("**/saved_model.pb")):
            shutil.copytree(path.parent, directory / f"{folder.name}-{path.parent.name}")


def _only_lacks_a_package(module: pathlib.Path) -> bool:
    findings = audit(module).at_least(Level.MEDIUM)
    return bool(findings) and all(
        finding.risk is Risk.UNREGISTERED and finding.package for finding in findings
    )


if __name__ == "__main__":
    main()

"""hubmodule publish: adds a module to a hub as a new version."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from hubmodule.commands.command import Command, print_error
from hubmodule.commands.op_packages import add_import_argument, import_packages

if TYPE_CHECKING:
    from hubmodule.hosting.publishing import Publication

_MOST_SHOWN = 5


def _add_publish_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("module_dir", metavar="MODULE_DIR", help="the directory of the module")
    parser.add_argument("hub", metavar="HUB", help="the directory of the hub; made if missing")
    parser.add_argument(
        "--as",
        required=True,
        dest="name",
        metavar="PUBLISHER/NAME[/VERSION]",
        help="the name of the module; the next version, if none is given",
    )
    parser.add_argument("--readme", metavar="FILE", help="what the module is for, in Markdown")
    parser.add_argument(
        "--allow-findings",
        action="store_true",
        help="publish the module even if it reads or writes foreign files, reaches the network "
        "or runs code, as `hubmodule audit` says",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    add_import_argument(parser)


def _publish(parsed: argparse.Namespace) -> int:
    import logging

    from hubmodule import _requirements

    _requirements.check_tensorflow()
    from hubmodule._plain_errors import PublishError
    from hubmodule.errors import UnregisteredOpsError
    from hubmodule.hosting.publishing import publish

    logging.basicConfig(level=logging.INFO, format="hubmodule: %(message)s")
    try:
        import_packages(parsed.packages)
        publication = publish(
            parsed.module_dir, parsed.hub, parsed.name, parsed.readme, parsed.allow_findings
        )
    except PublishError as error:
        return print_error(error.message.replace("allow_findings=True", "--allow-findings"))
    except UnregisteredOpsError as error:
        return print_error(f"{error.message} For this command, add --import PACKAGE.")
    if parsed.json:
        _print_json(publication)
    else:
        _print_text(publication, parsed.hub)
    return 0


def _print_json(publication: Publication) -> None:
    import json

    archive = publication.facts["archive"]
    value = {
        "handle": publication.handle,
        "is_new": publication.is_new,
        "bytes": archive["bytes"],
        "sha256": archive["sha256"],
    }
    print(json.dumps(value, indent=2))


def _print_text(publication: Publication, hub: str) -> None:
    from hubmodule.downloads.progress import format_bytes

    archive = publication.facts["archive"]
    if publication.is_new:
        print(f"Published {publication.handle} in {hub}, {format_bytes(archive['bytes'])}")
    else:
        print(f"{publication.handle} in {hub} has this content already; nothing is changed")
    print(f"  pin     #sha256={archive['sha256']}")
    for line in _describe_common_signatures(publication.facts["facts"]):
        print(f"  is      {line}")
    print(f"  audit   {_describe_findings(publication.facts['audit']['findings'])}")


def _describe_common_signatures(facts: dict[str, Any]) -> list[str]:
    return [
        f"a module for '{common['name']}'"
        if common["fulfilled"]
        else f"nearly a module for '{common['name']}': {' '.join(common['missing'])}"
        for common in facts["common_signatures"]
    ]


def _describe_findings(findings: list[dict[str, Any]]) -> str:
    if not findings:
        return "no findings, which does not prove that the module only computes"
    ops = [*dict.fromkeys(f"{finding['op']} ({finding['level']})" for finding in findings)]
    more = f" and {len(ops) - _MOST_SHOWN} more" if len(ops) > _MOST_SHOWN else ""
    return f"{', '.join(ops[:_MOST_SHOWN])}{more}; see `hubmodule audit`"


PUBLISH = Command(
    "publish",
    "Add a module to a hub as a new version.",
    _add_publish_arguments,
    _publish,
)

"""hubmodule site: writes the pages and archives of a hub for a web server."""

from __future__ import annotations

import argparse
import sys
import urllib.parse

from hubmodule.commands.command import Command, parse_path


def _add_site_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("hub", metavar="HUB", help="the directory of the hub")
    parser.add_argument(
        "out",
        metavar="OUT",
        type=parse_path,
        help="the directory to write; a site that is there is replaced",
    )
    parser.add_argument(
        "--url",
        type=_parse_url,
        default="",
        help="the address of OUT on the web, for the code to paste; by default the pages put in "
        "the address at which they are read",
    )


def _parse_url(text: str) -> str:
    parts = urllib.parse.urlsplit(text)
    is_address = parts.scheme in ("http", "https") and parts.hostname and text.isprintable()
    if text and not is_address:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address, such as https://host/path")
    return text


def _write_site(parsed: argparse.Namespace) -> int:
    from hubmodule.hosting.extras import check_extra

    check_extra("site", "jinja2", "markdown_it")
    from hubmodule.hosting.hub_directory import HubDirectory
    from hubmodule.hosting.site import write_site
    from hubmodule.inspection.wording import format_count

    site = write_site(HubDirectory(parsed.hub), parsed.out, parsed.url)
    counts = f"{format_count(site.modules, 'module')}, {format_count(site.versions, 'version')}"
    print(f"Wrote {site.path}: {counts}", file=sys.stderr)
    return 0


SITE = Command(
    "site",
    "Write the pages of a hub, with its archives, for a web server.",
    _add_site_arguments,
    _write_site,
)

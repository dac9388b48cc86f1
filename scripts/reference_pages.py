"""Writes the reference of commands and exceptions into docs/: python -m scripts.reference_pages."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator
from pathlib import Path

from hubmodule import errors
from hubmodule.__main__ import make_parser
from scripts import generated_sections

_DOCS = Path(__file__).resolve().parents[1] / "docs"
COMMAND_LINE = _DOCS / "command_line.md"
API = _DOCS / "api.md"


def make_commands() -> str:
    """Makes a section of Markdown for each subcommand, from its parser."""
    return "\n\n".join(_describe_commands(make_parser()))


def _describe_commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                if not _has_subcommands(child):
                    yield _describe_command(child)
                yield from _describe_commands(child)


def _has_subcommands(parser: argparse.ArgumentParser) -> bool:
    return any(isinstance(action, argparse._SubParsersAction) for action in parser._actions)


def _describe_command(parser: argparse.ArgumentParser) -> str:
    actions = [action for action in parser._actions if action.dest != "help"]
    positional = [_name_positional(each) for each in actions if not each.option_strings]
    options = ["[OPTIONS]"] if any(action.option_strings for action in actions) else []
    usage = " ".join([parser.prog, *options, *positional])
    lines = [f"## `{parser.prog}`", "", parser.description or "", "", f"    {usage}"]
    if actions:
        lines += ["", "| argument | meaning |", "|---|---|"]
        lines += [f"| `{_name(action)}` | {_explain(action)} |" for action in actions]
    return "\n".join(lines)


def _name(action: argparse.Action) -> str:
    if not action.option_strings:
        return _name_positional(action)
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return ", ".join(action.option_strings) + value


def _name_positional(action: argparse.Action) -> str:
    name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    many = {"+": " …", "*": " …", argparse.REMAINDER: " …"}.get(str(action.nargs), "")
    return f"[{name}]" if action.nargs == "?" else name + many


def _explain(action: argparse.Action) -> str:
    text = (action.help or "").replace("|", "\\|") % vars(action)
    if isinstance(action.default, (int, str)) and action.default not in (False, argparse.SUPPRESS):
        is_told = "default" in text or str(action.default) in text
        return text if is_told else f"{text}; default: {action.default}"
    return text


def make_exceptions() -> str:
    """Makes a block with the tree of the exceptions, from the docstring of hubmodule.errors."""
    lines = inspect.cleandoc(errors.__doc__ or "").splitlines()
    first = lines.index("    HubModuleError")
    tree = [line.removeprefix("    ").rstrip() for line in lines[first:]]
    return "\n".join(["```text", *tree, "```"])


def main() -> None:
    """Writes the sections."""
    generated_sections.replace_section(COMMAND_LINE, "commands", make_commands())
    generated_sections.replace_section(API, "exceptions", make_exceptions())


if __name__ == "__main__":
    main()

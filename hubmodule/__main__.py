"""The command line: `python -m hubmodule COMMAND …`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

# Command -> (the module whose main(arguments) carries it out, what the help says).
COMMANDS = {
    "run": ("hubmodule.run", "run a program written for tensorflow_hub and tf.estimator"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that the arguments name; returns the exit code."""
    width = max(map(len, COMMANDS))
    parser = argparse.ArgumentParser(
        prog="python -m hubmodule",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(
            ["commands:", *(f"  {name:{width}}  {text}" for name, (_, text) in COMMANDS.items())]
        ),
    )
    parser.add_argument("command", metavar="COMMAND", choices=COMMANDS)
    parser.add_argument("arguments", metavar="...", nargs=argparse.REMAINDER)
    parsed = parser.parse_args(argv)
    module, _ = COMMANDS[parsed.command]
    return importlib.import_module(module).main(parsed.arguments)


if __name__ == "__main__":
    sys.exit(main())

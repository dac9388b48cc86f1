"""Reads what make_golden wrote, perhaps elsewhere, and tells what is not as recorded.

    python -m tests.golden.check_golden DIRECTORY ... [--library tensorflow_hub]

Runs on Python 3.7 with TensorFlow 1.15 and tensorflow_hub 0.12, and on whatever came since.
Each module gives one line of JSON on standard output: its directory, its name, and an error
or null.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.golden import observe, recordings, values
from tests.golden.definitions import DEFINITIONS, Call


def differences(hub: Any, tf: Any, directory: Path, name: str) -> Iterator[str]:
    """What the module `name` shows otherwise than its recordings say."""
    spec = hub.load_module_spec(str(directory / name))
    calls = DEFINITIONS[name].calls
    for call in calls:
        yield from _call_differences(hub, tf, spec, call, directory, name)
    recorded = json.loads(recordings.description_file(directory, name).read_text())
    seen = observe.description(hub, tf, spec, calls)
    for part in seen:
        if seen[part] != recorded[part]:
            yield f"{part}: {seen[part]} instead of {recorded[part]}"


def _call_differences(
    hub: Any, tf: Any, spec: Any, call: Call, directory: Path, name: str
) -> Iterator[str]:
    where = recordings.call_name(call)
    inputs, expected = recordings.load_call(recordings.outputs_file(directory, name, call))
    call = call._replace(inputs=inputs)
    outputs = observe.outputs(hub, tf, spec, call)
    for key, text in values.differences(outputs, expected).items():
        yield f"output {key} of {where}: {text}"
    if call.trained:
        expected = values.load(recordings.training_file(directory, name, call))
        trained = observe.training_step(hub, tf, spec, call)
        for key, text in values.differences(trained, expected).items():
            yield f"{key} after training on {where}: {text}"


def check_all(library: str, directories: list[Path]) -> bool:
    """Checks every module in the directories and reports each; whether all are as recorded."""
    hub = importlib.import_module(library)
    tf = importlib.import_module("tensorflow").compat.v1
    failed = False
    for directory in directories:
        for name in DEFINITIONS:
            try:
                error = "\n".join(differences(hub, tf, directory, name)) or None
            except Exception:  # The report says which; the other modules are still checked.
                error = traceback.format_exc()
            failed = failed or error is not None
            report = {"directory": str(directory), "module": name, "error": error}
            print(json.dumps(report), flush=True)
    return not failed


def main(arguments: list[str]) -> int:
    """Runs the command line; 0 if everything is as recorded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directories", type=Path, nargs="+", metavar="DIRECTORY")
    parser.add_argument("--library", default="tensorflow_hub")
    options = parser.parse_args(arguments)
    return 0 if check_all(options.library, options.directories) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

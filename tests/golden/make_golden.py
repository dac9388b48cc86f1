"""Writes the modules of definitions/ with their recordings, using one of the libraries.

    python -m tests.golden.make_golden DIRECTORY [--library tensorflow_hub] [NAME ...]

Runs on Python 3.7 with TensorFlow 1.15 and tensorflow_hub 0.12, and on whatever came since.
recordings.py says which files it writes. Each module gives one line of JSON on standard
output: its name, and an error or null.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any

from tests.golden import observe, recordings, values
from tests.golden.definitions import DEFINITIONS, Call


def write(hub: Any, tf: Any, name: str, directory: Path) -> None:
    """Makes the module `name`, reads it back, and records what can be seen of it."""
    make_spec, calls = DEFINITIONS[name]
    # Inside `directory`, as TensorFlow names tables after the files that fill them.
    scratch = directory / (name + ".scratch")
    scratch.mkdir(parents=True)
    try:
        _export(hub, tf, make_spec(hub, tf, scratch), directory / name)
    finally:
        shutil.rmtree(str(scratch))
    spec = hub.load_module_spec(str(directory / name))
    for call in calls:
        _record_call(hub, tf, spec, call, directory, name)
    made_by = {hub.__name__: hub.__version__, "tensorflow": tf.VERSION}
    seen = {"made_by": made_by, **observe.description(hub, tf, spec, calls)}
    text = json.dumps(seen, indent=1, sort_keys=True)
    recordings.description_file(directory, name).write_text(text + "\n")


def _export(hub: Any, tf: Any, spec: Any, path: Path) -> None:
    first_variant = sorted(spec.get_tags(), key=len)[0]
    with tf.Graph().as_default(), observe.soft_session(tf) as session:
        module = hub.Module(spec, tags=set(first_variant))
        observe.initialize(tf, session)
        module.export(str(path), session)


def _record_call(hub: Any, tf: Any, spec: Any, call: Call, directory: Path, name: str) -> None:
    outputs = observe.outputs(hub, tf, spec, call)
    recordings.save_call(recordings.outputs_file(directory, name, call), call.inputs, outputs)
    if call.trained:
        trained = observe.training_step(hub, tf, spec, call)
        values.save(recordings.training_file(directory, name, call), trained)


def write_all(library: str, directory: Path, names: list[str]) -> bool:
    """Writes the modules and reports each; whether all could be written."""
    hub = importlib.import_module(library)
    tf = importlib.import_module("tensorflow").compat.v1
    directory.mkdir(parents=True, exist_ok=True)
    failed = False
    for name in names:
        error = None
        try:
            write(hub, tf, name, directory)
        except Exception:  # The report says which; the other modules are still written.
            error = traceback.format_exc()
            failed = True
        print(json.dumps({"module": name, "error": error}), flush=True)
    return not failed


def main(arguments: list[str]) -> int:
    """Runs the command line; 0 if all modules were written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--library", default="tensorflow_hub")
    options = parser.parse_intermixed_args(arguments)
    names = options.names or list(DEFINITIONS)
    return 0 if write_all(options.library, options.directory, names) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

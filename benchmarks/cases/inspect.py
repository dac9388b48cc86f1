"""hub.inspect() of a module of 50,000 nodes. The floor parses saved_model.pb alone.

tensorflow_hub cannot do this, so the comparison is with TensorFlow's `saved_model_cli show --all`.
That needs a graph variant with tags, so the module has one.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from absl import flags
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from benchmarks.measuring import Measurement
from benchmarks.targets import NearFloor

TITLE = "`hub.inspect`, 2,250 variables, 50,000 nodes; `saved_model_cli show --all`"
MODULES = ["wide"]
TARGETS = [NearFloor(3, "cpu")]


def measure(library: str, folder: Path, measurement: Measurement) -> None:
    """Inspects the module with hubmodule, or with TensorFlow's tool."""
    path = str(folder / "wide")
    if library == "hubmodule":
        import hubmodule as hub

        inspect = hub.inspect  # a lazy name is looked up once
        with measurement():
            inspect(path)
        return
    from tensorflow.python.tools import saved_model_cli

    flags.FLAGS(["saved_model_cli", f"--dir={path}", "--all"])
    with contextlib.redirect_stdout(io.StringIO()), measurement():
        saved_model_cli.show()


def measure_floor(folder: Path, measurement: Measurement) -> None:
    """Parses the file."""
    content = (folder / "wide" / "saved_model.pb").read_bytes()
    with measurement():
        SavedModel.FromString(content)

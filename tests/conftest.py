"""What holds for all tests."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Python puts the directory of a test file that runs as a program on the path, links resolved.
# There, tests/keras would hide Keras.
_HERE = {Path(__file__).parent, Path(__file__).resolve().parent}
sys.path[:] = [path for path in sys.path if not path or Path(path).absolute() not in _HERE]

# The same examples in each run, and no limit per example: a busy machine is no failure.
settings.register_profile(
    "hubmodule", derandomize=True, database=None, deadline=None, max_examples=60
)
settings.load_profile("hubmodule")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Lets SIGINT interrupt this process, and those that it starts, as on a terminal.

    Under nohup, and in the background jobs of a script, SIGINT is ignored.
    """
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.fixture(autouse=True)
def _imported_graphs_name_their_version(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Checks of each GraphDef that the package imports in a test that it has a producer version.

    Without one, the graph of the user becomes one of the oldest TensorFlow.
    """
    _tf = sys.modules.get("hubmodule._tf")
    if _tf is None:  # The test needs no TensorFlow.
        yield
        return
    producers = []
    import_graph_def = _tf.import_graph_def

    def record_producer(graph_def, input_map):
        producers.append(graph_def.versions.producer)
        import_graph_def(graph_def, input_map)

    monkeypatch.setattr(_tf, "import_graph_def", record_producer)
    yield
    assert 0 not in producers


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many faults the fault suite tried."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    # A fixture counts them, so they are known when the test is torn down.
    ended = [report for report in reports if getattr(report, "when", "") == "teardown"]
    tried = [dict(report.user_properties).get("faults", 0) for report in ended]
    if any(tried):
        terminalreporter.write_line(f"fault suite: {sum(tried)} faults tried")

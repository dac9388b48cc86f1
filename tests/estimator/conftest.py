"""What tests of the Estimator share."""

from __future__ import annotations

import signal

import pytest

_SECONDS = 300  # many times what the slowest test takes


@pytest.fixture(autouse=True)
def _no_endless_training():
    """Fails a test whose training or evaluation does not end."""

    def fail(signal_number, frame):
        raise TimeoutError(f"the test has run for {_SECONDS} s")

    previous = signal.signal(signal.SIGALRM, fail)
    signal.alarm(_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def model_dir(tmp_path):
    """The path of an Estimator's directory."""
    return str(tmp_path / "model")

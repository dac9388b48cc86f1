"""What is shown of a download, and where."""

from __future__ import annotations

import io
import logging
import sys
import types
from collections.abc import Callable

import pytest

from hubmodule.downloads import progress
from hubmodule.downloads.progress import open_progress

Screen = Callable[[], str]


@pytest.fixture
def file(capsys: pytest.CaptureFixture[str]) -> Screen:
    """Standard error, which is not a terminal; returns what was written."""
    return lambda: capsys.readouterr().err


@pytest.fixture
def terminal(file: Screen, monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Standard error, which is a terminal."""
    monkeypatch.setattr(progress, "is_terminal", lambda: True)
    return file


def show(name: str, wanted: bool | None, *reports: tuple[int, int | None]) -> None:
    with open_progress(name, wanted) as report:
        for received, total in reports:
            report(received, total)


@pytest.mark.parametrize("wanted", [None, True])
def test_a_bar_on_a_terminal(terminal: Screen, wanted: bool | None) -> None:
    show("https://h/m", wanted, (0, 2_000_000), (1_000_000, 2_000_000), (2_000_000, 2_000_000))
    assert "https://h/m: 100%|██████████| 2.00M/2.00M" in terminal()


def test_a_bar_goes_back_where_a_download_starts_again(terminal: Screen) -> None:
    show("m", None, (700, 1000), (0, 1000), (1000, 1000))
    assert "1.00k/1.00k" in terminal()


def test_a_bar_that_is_never_drawn(terminal: Screen) -> None:
    show("m", None)
    assert terminal() == ""


def test_long_handles_are_cut_in_a_bar(terminal: Screen) -> None:
    show("https://example.org/" + "x" * 40, None, (1, None))
    assert f"…{'x' * 39}: 1.00B" in terminal()


def test_a_bar_in_a_notebook(monkeypatch: pytest.MonkeyPatch, file: Screen) -> None:
    shell = type("ZMQInteractiveShell", (), {"config": {}})()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    show("m", None, (5, 5))
    assert "5.00/5.00" in file()


def test_ipython_on_a_terminal_is_not_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = types.SimpleNamespace(get_ipython=lambda: object())
    monkeypatch.setitem(sys.modules, "IPython", shell)
    assert not progress.is_notebook()


def test_nothing_if_that_is_wanted(terminal: Screen) -> None:
    show("m", False, (1, 1))
    assert terminal() == ""


def test_lines_in_the_log_elsewhere(file: Screen, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hubmodule")
    show("https://h/m", None, (1500, 1500))
    assert caplog.messages == ["Received 1.5 kB of https://h/m in 0.0 s"]
    assert file() == ""


def test_lines_on_standard_error_if_they_are_wanted(file: Screen) -> None:
    show("https://h/m", True, (1500, 1500))
    assert file() == "Received 1.5 kB of https://h/m in 0.0 s\n"


def test_a_line_every_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hubmodule")
    times = iter([0.0, 1.0, 10.0, 10.0, 19.0, 21.0, 21.0, 25.0])
    with open_progress("m", None, clock=lambda: next(times)) as report:
        report(1000, 4_000_000)
        report(2_000_000, 4_000_000)
        report(2_500_000, 4_000_000)
        report(3_000_000, None)
    assert caplog.messages == [
        "Downloading m: 2.0 MB of 4.0 MB",
        "Downloading m: 3.0 MB",
        "Received 3.0 MB of m in 25.0 s",
    ]


def test_a_module_that_is_only_named_ipython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    assert not progress.is_notebook()


@pytest.mark.parametrize("wanted", [None, True])
@pytest.mark.parametrize("closed", [False, True])
def test_a_service_has_no_standard_error(
    monkeypatch: pytest.MonkeyPatch, wanted: bool | None, closed: bool
) -> None:
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(sys, "stderr", stream if closed else None)
    show("m", wanted, (1, 1))


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (265_400_000, "265.4 MB"),
        (2 * 10**9, "2.0 GB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_amounts_for_people(size: int, text: str) -> None:
    assert progress.format_bytes(size) == text


def test_nothing_is_said_of_a_download_that_did_not_begin(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with progress.open_progress("https://h/m", None):
        pass
    assert caplog.messages == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

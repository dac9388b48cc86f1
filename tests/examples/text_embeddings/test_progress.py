"""The bar that shows how far a publication is."""

from __future__ import annotations

import io
import os
import sys

import pytest

from examples.text_embeddings import progress


class File(io.BytesIO):
    """A file in memory with the method that TensorFlow's files have."""

    def size(self) -> int:
        return len(self.getvalue())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def read_with_progress(wanted: bool | None) -> bytes:
    with progress.show_reading(File(b"123456"), f"/{'d' * 99}/v.txt", wanted) as file:
        return file.read(4) + file.read(4)


@pytest.mark.parametrize("wanted", [True, False, None])
def test_the_content_stays_the_same(wanted):
    assert read_with_progress(wanted) == b"123456"


@pytest.mark.parametrize(
    ("stream", "wanted", "shown"),
    [
        (Terminal(), None, True),
        (Terminal(), True, True),
        (Terminal(), False, False),
        (io.StringIO(), None, False),
        (io.StringIO(), True, True),
        (io.StringIO(), False, False),
        (None, None, False),
    ],
    ids=[f"{where}-{wanted}" for where in ("terminal", "pipe") for wanted in ("None", "yes", "no")]
    + ["without_standard_error"],
)
def test_is_shown_on_a_terminal_or_on_request(monkeypatch, stream, wanted, shown):
    monkeypatch.setattr(sys, "stderr", stream)
    assert progress.is_shown(wanted) is shown


def test_a_closed_standard_error_shows_nothing(monkeypatch):
    stream = Terminal()
    stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    assert progress.is_shown(None) is False


def test_the_bar_on_request_names_the_file_and_ends_at_its_size(capsys):
    read_with_progress(True)
    output, errors = capsys.readouterr()
    last = errors.split("\r")[-1]
    assert last.startswith("Reading v.txt: 100%|")
    assert "6.00/6.00 [" in last
    assert output == ""


def test_without_a_request_a_pipe_gets_nothing(capsys):
    read_with_progress(None)
    progress.show_writing("/m", 1, None)
    assert capsys.readouterr() == ("", "")


def test_the_bar_appears_on_a_terminal_that_reports_no_size(monkeypatch):
    terminal, stream = os.openpty()  # of 0 columns and 0 lines
    with os.fdopen(terminal, "rb", 0) as screen, os.fdopen(stream, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        read_with_progress(True)
        assert b"Reading v.txt" in screen.read(4096)


def test_writing_says_how_much_goes_where(capsys):
    progress.show_writing("/m", 468_001_200, True)
    assert capsys.readouterr() == ("", "Writing 468MB to /m\n")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""The check of a shared cache, with hubmodule on both sides, and how it fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts import interop_cache
from scripts.interop import Side

OURS = Side("ours", "hubmodule", Path(sys.executable))
BROKEN = Side("broken", "no_such_library", Path(sys.executable))


def test_each_check_is_made_of_every_other_library() -> None:
    theirs = Side("theirs", "tensorflow_hub", Path("python"))
    made = [
        (check.__name__, first.name, second.name)
        for _, check, first, second in interop_cache.list_cache_checks(OURS, theirs)
    ]
    assert made == [
        ("check_shared_cache", "ours", "theirs"),
        ("check_killed_download", "ours", "theirs"),
        ("check_shared_cache", "theirs", "ours"),
        ("check_killed_download", "theirs", "ours"),
        ("check_simultaneous_downloads", "theirs", "ours"),
    ]


def test_a_check_that_holds(tmp_path: Path) -> None:
    interop_cache.check_shared_cache(OURS, OURS, tmp_path / "cache")
    assert (tmp_path / "cache" / ".hubmodule").is_dir()


def test_a_library_that_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="No module named 'no_such_library'"):
        interop_cache.check_shared_cache(OURS, BROKEN, tmp_path / "cache")


def test_a_program_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interop_cache, "TIMEOUT", 0.1)
    waiting = interop_cache.start(OURS, "import time; time.sleep(60)", cache=None)
    with pytest.raises(AssertionError, match=r"it did not end within 0\.1 seconds"):
        interop_cache.wait_for_result(waiting)
    assert waiting.poll() is not None


def test_the_verdict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(interop_cache, "choose_sides", lambda pythons: ())
    monkeypatch.setattr(interop_cache, "run_checks", lambda sides: [("a", ""), ("b", "it broke")])
    assert interop_cache.main([]) == 1
    assert capsys.readouterr().out == "ok: a\nfailed: b: it broke\n1 failed\n"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

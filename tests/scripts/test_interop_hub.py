"""How the check of a hub reads the rules for nginx, and judges results."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts import interop_hub
from scripts.interop import Side

SIDES = tuple(Side(name, "tensorflow_hub", Path("python")) for name in ("ours", "same", "other"))


def test_the_rules_of_the_page() -> None:
    page = "```nginx\nserver {}\n```\n```nginx\n# A hub without hubmodule serve.\nmap;\n```\n"
    assert interop_hub.read_rules(page) == "# A hub without hubmodule serve.\nmap;\n"
    with pytest.raises(AssertionError, match="the page shows no configuration"):
        interop_hub.read_rules("```nginx\nserver {}\n```")


def test_the_rules_are_adapted(tmp_path: Path) -> None:
    rules = "listen 443 ssl; server_name h; ssl_certificate /c; root /var/www; rewrite a b;"
    adapted = interop_hub.adapt_rules(rules, 80, tmp_path)
    assert adapted == f"listen 127.0.0.1:80;   root {tmp_path}; rewrite a b;"


def test_every_side_gets_what_the_first_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = {"ours": "1.0", "same": "1.0", "other": "2.0"}
    asked = []

    def load(side: Side, handle: str, cache: Path) -> str:
        asked.append((handle, cache.name))
        return results[side.name]

    monkeypatch.setattr(interop_hub, "load", load)
    assert interop_hub.check(SIDES, "serve", "http://h", tmp_path) == 1
    assert asked == [("http://h/team/dense/1", f"cache-serve-{number}") for number in range(3)]
    assert capsys.readouterr().out == (
        "ok: ours from serve\nok: same from serve\nfailed: other from serve: got 2.0, not 1.0\n"
    )


def test_a_side_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(side: Side, handle: str, cache: Path) -> str:
        raise AssertionError("it broke")

    monkeypatch.setattr(interop_hub, "load", fail)
    assert interop_hub.check(SIDES[:1], "nginx", "http://h", tmp_path) == 1
    assert capsys.readouterr().out == "failed: ours from nginx: it broke\n"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

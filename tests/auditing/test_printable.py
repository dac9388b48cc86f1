"""Texts that a terminal cannot obey."""

from __future__ import annotations

import sys

import pytest

from hubmodule.auditing.printable import make_printable


def test_escape_sequences_do_not_reach_a_terminal() -> None:
    assert make_printable("<b>&\x1b[31m\u202e") == "<b>&\\x1b[31m\\u202e"
    assert make_printable("größe") == "größe"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

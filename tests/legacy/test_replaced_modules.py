"""The modules that have another name now."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import pytest

from hubmodule.legacy import replaced_modules


def test_replaced_modules_are_not_there():
    python = [name for name, text in replaced_modules.REPLACED.items() if "Python 3" in text]
    assert len(python) > 10
    for name in python:
        module, _, attribute = name.partition(".")
        if attribute:
            assert not hasattr(importlib.import_module(module), attribute)
        else:
            assert importlib.util.find_spec(name) is None


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

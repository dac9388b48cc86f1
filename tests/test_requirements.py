"""_requirements: a missing or old TensorFlow is an ImportError that says what to install."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
import types

import pytest

from hubmodule._requirements import check_tensorflow


@pytest.fixture
def unloaded(monkeypatch):
    """Makes TensorFlow look as if nobody had imported it."""
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)


def install(monkeypatch, **versions: str) -> None:
    """Makes a TensorFlow importable, and exactly these distributions look installed."""
    known = {name.replace("_", "-"): version for name, version in versions.items()}

    def version_of(distribution):
        if distribution not in known:
            raise importlib.metadata.PackageNotFoundError(distribution)
        return known[distribution]

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(importlib.metadata, "version", version_of)


def test_a_missing_tensorflow_is_named_with_what_to_install(unloaded, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"not installed; .*pip install 'tensorflow>=2\.15'"):
        check_tensorflow()


@pytest.mark.parametrize("old", ["2.14.1", "2.9.0rc2", "1.15.5"])
def test_an_old_tensorflow_is_named_with_what_to_install(unloaded, monkeypatch, old):
    install(monkeypatch, tensorflow=old)
    with pytest.raises(ImportError, match=rf"2\.15 or newer, not {old}; .*pip install"):
        check_tensorflow()


@pytest.mark.parametrize(
    "versions",
    [
        {"tensorflow": "2.15.0"},
        {"tensorflow_cpu": "2.21.0"},
        {"tf_nightly": "2.22.0.dev20260101"},
        {"tensorflow": "3.0.0rc1"},
        {},  # built from source
    ],
    ids=str,
)
def test_a_new_tensorflow_will_do(unloaded, monkeypatch, versions):
    install(monkeypatch, **versions)
    check_tensorflow()


def test_a_tensorflow_that_is_imported_says_its_version_itself(monkeypatch):
    install(monkeypatch, tensorflow="2.21.0")
    monkeypatch.setitem(sys.modules, "tensorflow", types.SimpleNamespace(__version__="2.14.0"))
    with pytest.raises(ImportError, match=r"not 2\.14\.0"):
        check_tensorflow()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""What tests of the resolver share: a cache of their own, and nothing of the user's."""

from __future__ import annotations

import functools
import os
import pathlib

import pytest

from hubmodule.downloads.retries import Retries

_PREFIXES = ("HUBMODULE_", "TFHUB_")
_OTHERS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """No setting but a cache directory, which does not exist yet."""
    for name in list(os.environ):
        if name.startswith(_PREFIXES) or name in _OTHERS or name.upper() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))


@pytest.fixture
def cache_dir(tmp_path: pathlib.Path) -> pathlib.Path:
    """The cache directory of this test."""
    return tmp_path / "cache"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that code under test would have slept; it does not."""
    slept: list[float] = []
    patient = functools.partial(Retries, sleep=slept.append, get_random=lambda: 1.0)
    monkeypatch.setattr("hubmodule.resolver.fetch.Retries", patient)
    monkeypatch.setattr("hubmodule.downloads.retries.Retries", patient)
    return slept

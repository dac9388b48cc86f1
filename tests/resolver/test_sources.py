"""Tests of hubmodule.resolver.sources."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest

from hubmodule.errors import HandleNotFoundError
from hubmodule.resolver.handles import parse
from hubmodule.resolver.sources import check_exists, get_fingerprint


def test_a_file_system_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object, path: str) -> bool:
        raise PermissionError(f"{path}: 401")

    monkeypatch.setattr("hubmodule.file_systems.TensorFlowFileSystem.exists", refuse)
    with pytest.raises(HandleNotFoundError) as caught:
        check_exists("gs://bucket/m")
    assert str(caught.value) == (
        "gs://bucket/m cannot be read: 401. Check the credentials and the network."
    )


def test_a_local_archive_has_another_source_when_it_is_written_again(
    tmp_path: pathlib.Path,
) -> None:
    archive = tmp_path / "m.tar"
    archive.write_bytes(b"one")
    os.utime(archive, (1, 1))
    before = get_fingerprint(parse(str(archive)))
    assert get_fingerprint(parse(str(archive))) == before
    os.utime(archive, (2, 2))
    assert get_fingerprint(parse(str(archive))) != before


@pytest.mark.parametrize(
    "handle", ["/no/such/m.tar", "https://example.com/m/1", "ram://m.tar", "/no/such/m.tar#sha256="]
)
def test_what_is_not_looked_at_has_no_source(handle: str) -> None:
    text = handle + "0" * 64 if handle.endswith("=") else handle
    assert get_fingerprint(parse(text)) == ""


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

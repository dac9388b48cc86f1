"""What a cached module must hold."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import sys

import pytest

from hubmodule.cache import manifest
from hubmodule.cache.manifest import FileRecord, Manifest
from hubmodule.file_systems import LocalFileSystem

MANIFEST = Manifest(
    "https://h/m",
    "2026-01-31T12:00:00+00:00",
    (FileRecord("saved_model.pb", 3, "ab" * 32), FileRecord("assets/ä", 0, None)),
)


def test_what_is_written_is_read() -> None:
    assert manifest.decode(MANIFEST.encode()) == MANIFEST


def test_the_format() -> None:
    assert json.loads(MANIFEST.encode()) == {
        "version": 1,
        "handle": "https://h/m",
        "fetched": "2026-01-31T12:00:00+00:00",
        "source": "",
        "archive_sha256": "",
        "address": "",
        "etag": "",
        "files": {
            "saved_model.pb": {"size": 3, "sha256": "ab" * 32},
            "assets/ä": {"size": 0, "sha256": None},
        },
    }


def test_the_state_of_the_archive_is_kept() -> None:
    kept = dataclasses.replace(
        MANIFEST, source="10-20", archive_sha256="cd" * 32, address="https://o/m", etag='"1"'
    )
    assert manifest.decode(kept.encode()) == kept


def test_a_manifest_of_an_earlier_version() -> None:
    value = json.loads(MANIFEST.encode())
    for name in ("source", "archive_sha256", "address", "etag"):
        del value[name]
    assert manifest.decode(json.dumps(value).encode()) == MANIFEST


COMPLETE = (
    FileRecord("saved_model.pb", 3, "ab" * 32),
    FileRecord("assets/ä", 0, "cd" * 32),
    FileRecord("assets/b", 1, "ef" * 32),
)


def test_the_digest_of_the_content_is_that_of_the_lines_of_sha256sum() -> None:
    lines = f"{'ef' * 32}  assets/b\n{'cd' * 32}  assets/ä\n{'ab' * 32}  saved_model.pb\n"
    assert manifest.compute_content_digest(COMPLETE) == hashlib.sha256(lines.encode()).hexdigest()


def test_the_order_of_files_does_not_change_the_digest() -> None:
    assert manifest.compute_content_digest(reversed(COMPLETE)) == manifest.compute_content_digest(
        COMPLETE
    )


def test_a_line_end_in_a_name_is_no_other_file() -> None:
    one = [FileRecord(f"a\n{'cd' * 32}  b", 0, "ab" * 32)]
    two = [FileRecord("a", 0, "ab" * 32), FileRecord("b", 0, "cd" * 32)]
    assert manifest.compute_content_digest(one) != manifest.compute_content_digest(two)
    assert manifest.compute_content_digest(
        [FileRecord("a\\nb", 0, "ab" * 32)]
    ) != manifest.compute_content_digest([FileRecord("a\nb", 0, "ab" * 32)])


def test_content_without_all_digests_has_none() -> None:
    assert MANIFEST.content_digest is None
    whole = dataclasses.replace(MANIFEST, files=COMPLETE)
    assert whole.content_digest == manifest.compute_content_digest(COMPLETE)


def test_digests_are_added_where_they_are_missing(tmp_path: pathlib.Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"abc")
    (tmp_path / "assets" / "ä").write_bytes(b"")
    listed = manifest.list_files(LocalFileSystem(), str(tmp_path), "https://h/m")
    assert [(file.path, file.size, file.sha256) for file in listed.files] == [
        ("assets/ä", 0, None),
        ("saved_model.pb", 3, None),
    ]
    added = manifest.add_digests(MANIFEST, LocalFileSystem(), str(tmp_path))
    assert [file.sha256 for file in added.files] == [
        "ab" * 32,  # known before, so the file is not read
        hashlib.sha256(b"").hexdigest(),
    ]


def test_the_time() -> None:
    assert manifest.get_fetch_time(MANIFEST) == 1769860800.0


def test_now_is_a_time_of_a_manifest() -> None:
    assert manifest.get_fetch_time(Manifest("", manifest.get_time(), ())) > 1769860800.0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"null",
        b"\xff",
        MANIFEST.encode()[:-1],
        MANIFEST.encode().replace(b'"version": 1', b'"version": 2'),
        MANIFEST.encode().replace(b'"size": 3', b'"size": "x"'),
        MANIFEST.encode().replace(b'"size": 3', b'"length": 3'),
        MANIFEST.encode().replace(b"2026-01-31", b"yesterday"),
        b'{"version": 1, "handle": "h", "fetched": "2026-01-31", "files": []}',
        MANIFEST.encode().replace(b"2026-01-31T12:00:00+00:00", b"0001-01-01"),
        MANIFEST.encode().replace(b"https://h/m", b"\\ud800"),
        MANIFEST.encode().replace(b'"size": 3', b'"size": Infinity'),
        MANIFEST.encode().replace(b"saved_model.pb", b"/etc/passwd"),
        MANIFEST.encode().replace(b"saved_model.pb", b"assets/../../../x"),
        MANIFEST.encode().replace(b"saved_model.pb", b"a\\u0000b"),
        MANIFEST.encode().replace(b"saved_model.pb", b"a\\ud800"),
        b"[" * 100_000,
    ],
)
def test_what_is_no_manifest(content: bytes) -> None:
    assert manifest.decode(content) is None


def test_no_damage(tmp_path: pathlib.Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"abc")
    (tmp_path / "assets" / "ä").touch()
    assert manifest.find_damage(MANIFEST, LocalFileSystem(), str(tmp_path)) is None


def test_a_file_of_another_size(tmp_path: pathlib.Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"ab")
    assert manifest.find_damage(MANIFEST, LocalFileSystem(), str(tmp_path)) == (
        "saved_model.pb has 2 bytes instead of 3"
    )


@pytest.mark.parametrize("instead", ["nothing", "folder", "no parent"])
def test_a_missing_file(tmp_path: pathlib.Path, instead: str) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"abc")
    if instead == "folder":
        (tmp_path / "assets" / "ä").mkdir(parents=True)
    elif instead == "no parent":
        (tmp_path / "assets").touch()
    assert manifest.find_damage(MANIFEST, LocalFileSystem(), str(tmp_path)) == "assets/ä is missing"


SHARDS = [f"variables/variables.data-0000{number}-of-00003" for number in range(3)]


@pytest.mark.parametrize(
    ("files", "damage"),
    [
        (["saved_model.pb"], None),
        (["saved_model.pbtxt", "assets/a"], None),
        (["saved_model.pb", "variables/variables.index", *SHARDS], None),
        ([], "saved_model.pb is missing"),
        (["variables/variables.index", *SHARDS], "saved_model.pb is missing"),
        (["x/saved_model.pb"], "saved_model.pb is missing"),
        (["saved_model.pb", *SHARDS], "variables/variables.index is missing"),
        (
            ["saved_model.pb", "variables/variables.index", *SHARDS[::2]],
            "variables/variables.data-00001-of-00003 is missing",
        ),
        (
            ["saved_model.pb", "variables/variables.index"],
            "variables/variables.data-00000-of-00001 is missing",
        ),
    ],
)
def test_what_came_without_a_manifest(files: list[str], damage: str | None) -> None:
    assert manifest.find_foreign_damage(dict.fromkeys(files, 1)) == damage


@pytest.mark.parametrize(
    ("emptied", "damage"),
    [
        ("saved_model.pb", "saved_model.pb is empty"),
        ("tfhub_module.pb", "tfhub_module.pb is empty"),
        ("variables/variables.index", "variables/variables.index is empty"),
        (SHARDS[1], None),
        ("assets/a", None),
    ],
)
def test_what_was_emptied_before_there_was_a_manifest(emptied: str, damage: str | None) -> None:
    names = ["saved_model.pb", "tfhub_module.pb", "variables/variables.index", *SHARDS, "assets/a"]
    assert manifest.find_foreign_damage({**dict.fromkeys(names, 1), emptied: 0}) == damage


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

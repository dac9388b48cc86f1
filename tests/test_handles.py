"""Handles as values."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubmodule import handles
from hubmodule._plain_errors import HandleNotFoundError, HubModuleError, InvalidHandleError
from hubmodule.handles import ArchiveHandle, PathHandle, WebHandle

PIN = "0123456789abcdef" * 4


def schemes() -> list[str]:
    return ["", "file", "gs", "ram"]


@pytest.mark.parametrize(
    "text",
    [
        "/m",
        "m",
        "m/",
        "./a b",
        "~/m",
        "file:///m",
        "ram://m",
        "gs://bucket/m",
        "/m#part",
        "https",
        "C:\\m",
        "/m.tar.gz/",
        "/a:b",
    ],
)
def test_a_path(text: str) -> None:
    assert handles.parse(text, schemes) == PathHandle(text, text)


def test_a_path_object() -> None:
    assert handles.parse(Path("/m"), schemes) == PathHandle("/m", "/m")


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"])
@pytest.mark.parametrize("place", ["/m", "gs://bucket/m", "ram://m", "file:///m"])
def test_an_archive(place: str, suffix: str) -> None:
    text = place + suffix
    assert handles.parse(text, schemes) == ArchiveHandle(text, text, None)


def test_a_pinned_archive() -> None:
    text = f"gs://bucket/m.tgz#sha256={PIN.upper()}"
    assert handles.parse(text, schemes) == ArchiveHandle(text, "gs://bucket/m.tgz", PIN)


def test_a_relative_archive_means_another_one_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"m.tar#sha256={PIN}"
    assert handles.parse(text) == ArchiveHandle(f"{tmp_path}/{text}", "m.tar", PIN)


@pytest.mark.parametrize(
    "text",
    [
        "https://tfhub.dev/google/nnlm-en-dim128/1",
        "http://localhost:8000/m.tar.gz?tf-hub-format=compressed",
        "https://example.org",
        "HTTPS://Example.org/m",
        "https://me:secret@example.org/m?a=b",
        "https://[::1]:80/m",
    ],
)
def test_an_address(text: str) -> None:
    assert handles.parse(text) == WebHandle(text, text, None)


def test_a_pinned_address() -> None:
    text = f"https://example.org/m?a=b#sha256={PIN}"
    assert handles.parse(text) == WebHandle(text, "https://example.org/m?a=b", PIN)


UNDERSTOOD = (
    "Understood are http:// and https:// addresses of modules or archives, paths of directories "
    "and of .tar, .tar.gz, .tgz, .tar.bz2 or .tar.xz archives, and the same on file://, gs://, "
    "ram://. Others, such as s3://, come with import tensorflow_io."
)
NO_UTF8 = "cannot be written as UTF-8, so the cache cannot name it; rename the file."
NO_ADDRESS = "is not a valid address. An address is https://host/path, without spaces."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "htps://tfhub.dev/m",
            "The handle 'htps://tfhub.dev/m' has the scheme htps://, which no file system of this "
            f"process has. {UNDERSTOOD}",
        ),
        (
            "s3://bucket/m.tar.gz",
            "The handle 's3://bucket/m.tar.gz' has the scheme s3://, which no file system of this "
            f"process has. {UNDERSTOOD}",
        ),
        (
            "https:/tfhub.dev/m",
            "The handle 'https:/tfhub.dev/m' is not an address; did you mean https://tfhub.dev/m?",
        ),
        (
            "http:tfhub.dev",
            "The handle 'http:tfhub.dev' is not an address; did you mean http://tfhub.dev?",
        ),
        (
            "https//tfhub.dev/m",
            "The handle 'https//tfhub.dev/m' is not an address; did you mean https://tfhub.dev/m?",
        ),
        (
            "https:://tfhub.dev/m",
            "The handle 'https:://tfhub.dev/m' is not an address; did you mean https://tfhub.dev/m?",
        ),
        ("https://me:sec/ret@h/m", f"The handle 'https://h/m' {NO_ADDRESS}"),
        ("https://h/\udc80", f"The handle 'https://h/\\udc80' {NO_UTF8}"),
        ("/m\udc80.tar", f"The handle '/m\\udc80.tar' {NO_UTF8}"),
        ("", "The handle '' is empty; give a path or an address."),
        (" ", "The handle ' ' is empty; give a path or an address."),
        (None, "A handle must be a string, a path or an address, not a NoneType: None."),
        (7, "A handle must be a string, a path or an address, not a int: 7."),
        ("https://", f"The handle 'https://' {NO_ADDRESS}"),
        ("https:///m", f"The handle 'https:///m' {NO_ADDRESS}"),
        ("https://h/a b", f"The handle 'https://h/a b' {NO_ADDRESS}"),
        ("https://h/a\n", f"The handle 'https://h/a\\n' {NO_ADDRESS}"),
        ("https://me:secret@h:x/m", f"The handle 'https://h:x/m' {NO_ADDRESS}"),
        ("https://h:0/m", f"The handle 'https://h:0/m' {NO_ADDRESS}"),
        (
            "https://h/m#sha256=12",
            "The handle 'https://h/m#sha256=12' ends in #sha256=12, which is not a pin. A pin is "
            "#sha256= and 64 hexadecimal digits; remove everything else after the #.",
        ),
        (
            f"/m#sha256={PIN}",
            f"The handle '/m#sha256={PIN}' pins a directory, and only archives can be pinned with "
            "#sha256=. Use '/m', or the archive of the module.",
        ),
    ],
)
def test_what_is_no_handle(text: str, message: str) -> None:
    with pytest.raises(InvalidHandleError) as caught:
        handles.parse(text, schemes)
    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, OSError)


def test_tensorflow_says_which_file_systems_there_are() -> None:
    assert handles.parse("ram://m") == PathHandle("ram://m", "ram://m")
    with pytest.raises(InvalidHandleError, match=r"on file://, .*ram://"):
        handles.parse("nothing://m")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("tfhub.dev/google/x/1", "Did you mean https://tfhub.dev/google/x/1?"),
        ("www.kaggle.com/models/a/b", "Did you mean https://www.kaggle.com/models/a/b?"),
        ("/m ", "There is a space around it; remove that."),
        (
            "/m.tar#sha256=12",
            "A pin is #sha256= and 64 hexadecimal digits; remove everything else after the #.",
        ),
        ("~/m", f"Did you mean {os.path.expanduser('~/m')}?"),
        ("/m", "Check the path; a module on the web needs its whole address, https://…"),
    ],
)
def test_the_hint_for_a_missing_path(
    path: str, hint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HandleNotFoundError) as caught:
        handles.check_exists(path)
    assert str(caught.value) == f"{path} does not exist. {hint}"


def test_a_file_system_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object, path: str) -> bool:
        raise PermissionError(f"{path}: 401")

    monkeypatch.setattr("hubmodule.file_systems.TensorFlowFileSystem.exists", refuse)
    with pytest.raises(HandleNotFoundError) as caught:
        handles.check_exists("gs://bucket/m")
    assert str(caught.value) == (
        "gs://bucket/m cannot be read: 401. Check the credentials and the network."
    )


@pytest.mark.parametrize(
    ("path", "answer"),
    [("/m", False), ("file:///m", False), ("ram://m", False), ("gs://b/m", True), ("s3://b", True)],
)
def test_which_paths_need_a_network(path: str, answer: bool) -> None:
    assert handles.needs_network(path) is answer


def test_the_key_is_that_of_tensorflow_hub() -> None:
    text = "https://tfhub.dev/google/é/1?a=b"
    assert handles.make_cache_key(text) == hashlib.sha1(text.encode("utf8")).hexdigest()


TEXTS = st.one_of(
    st.text(),
    st.builds("{}://{}".format, st.sampled_from(["http", "https", "gs", "x"]), st.text()),
    st.builds("https://h/{}#{}".format, st.text(), st.text()),
)


@given(TEXTS)
def test_any_text_is_a_handle_or_an_error_of_ours(text: str) -> None:
    try:
        handle = handles.parse(text, schemes)
    except HubModuleError as error:
        assert str(error)
    else:
        assert handle.text == text
        assert handle == handles.parse(text, schemes)


SEGMENT = st.text("abcXYZ019-_.", min_size=1).filter(lambda name: name.strip("."))


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

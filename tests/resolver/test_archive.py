"""What is unpacked, and what is refused with nothing left."""

from __future__ import annotations

import contextlib
import io
import pathlib
import posixpath
import sys
import tarfile
from collections.abc import Iterable
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubmodule._plain_errors import ArchiveDamagedError, ArchiveError, ArchiveRefusedError
from hubmodule.resolver.archive import Limits, unpack
from hubmodule.resolver.manifest import FileRecord
from tests.resolver import archives

LIMITS = Limits(entries=100, bytes=1 << 30)
ADVICE = "Do not use this archive; a module packed with `tar -czf m.tar.gz -C <module> .` is fine."


class _File(io.BytesIO):
    def __init__(self, files: dict[str, bytes], path: str):
        super().__init__()
        self._files, self._path = files, path

    def close(self) -> None:
        self._files[self._path] = self.getvalue()
        super().close()


class Memory:
    """A folder in memory."""

    def __init__(self, ignores_case: bool = False) -> None:
        self.files: dict[str, bytes] = {}
        self.folders: set[str] = set()
        self._ignores_case = ignores_case

    def create(self, path: str) -> BinaryIO:
        names = {name.lower() if self._ignores_case else name for name in self.files}
        if (path.lower() if self._ignores_case else path) in names:
            raise FileExistsError(path)
        return _File(self.files, path)

    def remove(self, path: str) -> None:
        del self.files[path]

    def make_folder(self, path: str) -> None:
        self.folders.add(path)


def unpacked(data: bytes, limits: Limits = LIMITS, size: int = 4096) -> Memory:
    memory = Memory()
    unpack(cut(data, size), memory, limits)
    return memory


def cut(data: bytes, size: int) -> Iterable[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def refusal(data: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(ArchiveRefusedError) as caught:
        unpacked(data, limits)
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


def damage(data: bytes) -> str:
    with pytest.raises(ArchiveDamagedError) as caught:
        unpacked(data)
    return str(caught.value)


@pytest.mark.parametrize("size", [1, 511, 512, 513, 1 << 20])
def test_unpacks_pieces_of_any_size(size: int) -> None:
    assert unpacked(archives.tar(), size=size).files == archives.MODULE


def test_says_what_it_unpacked() -> None:
    records = unpack([archives.tar({"a": b"abc", "b/c": b""})], Memory(), LIMITS)
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert records == [FileRecord("a", 3, abc), FileRecord("b/c", 0, nothing)]


def test_folders_may_have_entries() -> None:
    memory = unpacked(archives.tar(folders=["./", "variables", "assets/extra/"]))
    assert memory.files == archives.MODULE
    assert memory.folders == {".", "variables", "assets/extra"}


@pytest.mark.parametrize(
    "name", ["./a/b", "a//b", "a/./b", "/a/b", "//a/b", "x/../a/b", "a/x/../b", "./x/.././a/b"]
)
def test_names_are_normalised(name: str) -> None:
    assert unpacked(archives.tar_of(name, b"1")).files == {"a/b": b"1"}


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["n" * 90, f"{'d' * 80}/{'n' * 99}"])
def test_the_formats_of_python(kind: int, name: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        archives.add(archive, name, b"1")
    assert unpacked(out.getvalue()).files == {name: b"1"}


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["n" * 200, "d/" * 200 + "n", "Häuser/日本" * 20])
def test_long_and_foreign_names(kind: int, name: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        archives.add(archive, name, b"1")
        archives.add(archive, "short", b"2")
    assert unpacked(out.getvalue()).files == {name: b"1", "short": b"2"}


def test_a_comment_for_all_entries_is_fine() -> None:
    # git archive writes one.
    out = io.BytesIO()
    headers = {"comment": "0123456789abcdef"}
    with tarfile.open(
        fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers=headers
    ) as archive:
        archives.add(archive, "a", b"1")
    assert unpacked(out.getvalue()).files == {"a": b"1"}


@pytest.mark.parametrize("key", ["path", "size"])
def test_a_name_for_all_entries_is_refused(key: str) -> None:
    out = io.BytesIO()
    with tarfile.open(
        fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={key: "7"}
    ) as archive:
        archives.add(archive, "a", b"1")
    assert refusal(out.getvalue()) == (
        f"The archive is refused: its entry '7' is a {key} for all entries. {ADVICE}"
    )


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("../a", "has a '..', which leaves the folder"),
        ("..", "has a '..', which leaves the folder"),
        ("/../a", "has a '..', which leaves the folder"),
        ("a/../../b", "has a '..', which leaves the folder"),
        ("./../m/a", "has a '..', which leaves the folder"),
        (
            "..\\a",
            "leaves the folder on a system where \\ or a drive letter separates folders",
        ),
        ("C:a", "leaves the folder on a system where \\ or a drive letter separates folders"),
    ],
)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE])
def test_names_that_leave_the_folder(name: str, what: str, kind: bytes) -> None:
    data = archives.tar({"first": b"1"})[:1024] + archives.tar_of(name, kind=kind)
    assert refusal(data) == f"The archive is refused: its entry {name!r} {what}. {ADVICE}"


@pytest.mark.parametrize("name", [b"\xff", b"n" * 5000, b"n" * 256, b"a/" * 256 + b"b"])
def test_names_that_not_every_file_system_holds(name: bytes) -> None:
    data = archives.tar_of(name.decode("utf-8", "surrogateescape"), b"1")
    assert "has a name that not every file system can hold" in refusal(data)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "is a symbolic link"),
        (tarfile.LNKTYPE, "is a hard link"),
        (tarfile.CHRTYPE, "is a device"),
        (tarfile.BLKTYPE, "is a device"),
        (tarfile.FIFOTYPE, "is a named pipe"),
        (tarfile.GNUTYPE_SPARSE, "is a sparse file"),
        (b"Z", "is of the unknown type b'Z'"),
    ],
)
@pytest.mark.parametrize("link", ["inside", "/etc/passwd", "l" * 200])
def test_what_is_no_file(kind: bytes, what: str, link: str) -> None:
    data = archives.tar_of("x", kind=kind, link=link)
    assert refusal(data) == f"The archive is refused: its entry 'x' {what}. {ADVICE}"


def test_a_sparse_file_of_pax() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        header = tarfile.TarInfo("x")
        header.pax_headers = {"GNU.sparse.major": "1"}
        archive.addfile(header)
    assert "'x' is a sparse file" in refusal(out.getvalue())


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["\u00e9", "e\u0301"], "has the same name as an earlier one, in another form of Unicode"),
        (["a/b", "a"], "makes a file of what an earlier one made a folder"),
        (["a/", "a"], "makes a file of what an earlier one made a folder"),
        (["."], "makes a file of what an earlier one made a folder"),
        (["a/.."], "makes a file of what an earlier one made a folder"),
        (["a", "a/b"], "makes a folder of what an earlier one made a file"),
        (["a", "a/"], "makes a folder of what an earlier one made a file"),
    ],
)
def test_names_that_collide(names: list[str], what: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in names:
            kind = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archives.add(archive, name.rstrip("/"), kind=kind)
    assert f"{what}. {ADVICE}" in refusal(out.getvalue())


@pytest.mark.parametrize("again", ["a/b", "./a/b", "/a/b", "a//b"])
def test_of_a_name_that_is_there_twice_the_later_counts(again: str) -> None:
    # `tar --append` writes a newer version of a file behind the older one.
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in (("a/b", b"longer"), ("c", b"1"), (again, b"new")):
            archives.add(archive, name, content)
    memory = Memory()
    records = unpack([out.getvalue()], memory, LIMITS)
    assert memory.files == {"a/b": b"new", "c": b"1"}
    assert [(record.path, record.size) for record in records] == [("a/b", 3), ("c", 1)]


def test_names_that_collide_on_this_file_system() -> None:
    with pytest.raises(ArchiveRefusedError) as caught:
        unpack([archives.tar({"A": b"", "a": b""})], Memory(ignores_case=True), LIMITS)
    assert str(caught.value) == (
        "The archive is refused: its entry 'a' has the same name as an earlier one, as this file "
        f"system compares names. {ADVICE}"
    )


def test_names_that_differ_in_case_are_two() -> None:
    assert unpacked(archives.tar({"A": b"1", "a": b"2"})).files == {"A": b"1", "a": b"2"}


def test_too_many_entries() -> None:
    data = archives.tar({str(number): b"" for number in range(11)})
    assert len(unpacked(data, Limits(11, 1 << 20)).files) == 11
    assert refusal(data, Limits(10, 1 << 20)) == (
        "The archive is refused: it has more than 10 entries. If you trust it, set "
        "HUBMODULE_MAX_ARCHIVE_ENTRIES to more."
    )


def test_too_many_bytes() -> None:
    data = archives.tar({"a": bytes(30_000)})
    assert len(unpacked(data, Limits(1, len(data))).files) == 1
    assert refusal(data, Limits(1, len(data) - 1)) == (
        f"The archive is refused: it unpacks to more than {len(data) - 1} bytes. If you trust it, "
        "set HUBMODULE_MAX_ARCHIVE_BYTES to more."
    )


def test_a_bomb_of_zeros_after_the_end() -> None:
    assert "more than 20000 bytes" in refusal(
        archives.tar({"a": b""}) + bytes(30_000), Limits(1, 20_000)
    )


def test_a_long_long_name() -> None:
    data = archives.tar_of("x", bytes(2 << 20), tarfile.GNUTYPE_LONGNAME)
    assert refusal(data) == (
        f"The archive is refused: it has a name or attributes of 2097152 bytes. {ADVICE}"
    )


def test_no_file_in_it() -> None:
    expected = "The archive holds no file; pack the module once more."
    assert damage(archives.tar({})) == expected
    assert damage(archives.tar({}, folders=["assets"])) == expected


CUT_OFF = "The archive is cut off: its tar ends in the middle."


@pytest.mark.parametrize("length", [1, 100, 511, 512, 513, 600, 1023, 1024, 1100])
def test_cut_off(length: int) -> None:
    assert damage(archives.tar({"a": b"b" * 100, "c": b"d"})[:length]) == CUT_OFF


def test_the_mark_of_the_end_may_be_missing_if_a_checksum_vouches_for_it() -> None:
    data = archives.tar({"a": b"1"})[:1024]
    assert damage(data) == CUT_OFF
    memory = Memory()
    unpack([data], memory, LIMITS, needs_end=False)
    assert memory.files == {"a": b"1"}


def test_something_follows_the_end() -> None:
    assert damage(archives.tar({"a": b"1"}) + b"x") == (
        "The archive is damaged: something follows the end of the tar in it."
    )


def test_a_damaged_header_is_not_the_end() -> None:
    data = bytearray(archives.tar({"a": b"1", "b": b"2"}))
    data[1024 + 3] ^= 1
    assert damage(bytes(data)).startswith("The archive is damaged: a header in it is corrupt (")


@pytest.mark.parametrize("records", [b"x", b"8 path=a\n", b"99 path=a\n", b"7 patha\n", b"0 a=b\n"])
def test_damaged_pax_records(records: bytes) -> None:
    data = archives.tar_of("x", records, tarfile.XHDTYPE) + archives.tar()
    assert damage(data) == "The archive is damaged: a pax record in it is corrupt."


@pytest.mark.parametrize("size", ["-1", "1e3", "٣", "9" * 30])
def test_damaged_sizes(size: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        header = tarfile.TarInfo("x")
        header.pax_headers = {"size": size}
        archive.addfile(header)
    assert damage(out.getvalue()) == (
        f"The archive is damaged: something in it has the size {size!r}."
    )


def test_a_negative_size() -> None:
    header = bytearray(archives.tar_of("x")[:512])
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    assert damage(bytes(header) + bytes(1024)) == (
        "The archive is damaged: something in it has the size '-1'."
    )


NAMES = st.lists(st.text("abä.", min_size=1, max_size=5), min_size=1, max_size=4).map("/".join)
SAFE = NAMES.filter(lambda name: not set(name.split("/")) & {".", ".."})


@given(st.dictionaries(SAFE, st.binary(max_size=2000), min_size=1, max_size=10))
def test_any_files_come_out_as_they_went_in_or_not_at_all(files: dict[str, bytes]) -> None:
    try:
        memory = unpacked(archives.tar(files), size=700)
    except ArchiveRefusedError as error:
        folders = {parent for name in files for parent in parents(name)}
        assert folders & set(files), error
    else:
        assert memory.files == files


@given(st.lists(st.tuples(NAMES, st.sampled_from(b"0125L"))), st.booleans())
def test_whatever_an_archive_names_stays_inside(
    entries: list[tuple[str, int]], absolute: bool
) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind in entries:
            archives.add(archive, f"/{name}" if absolute else name, b"", bytes([kind]), "/etc")
    memory = Memory()
    with contextlib.suppress(ArchiveError):
        unpack([out.getvalue()], memory, LIMITS)
    for path in [*memory.files, *memory.folders]:
        assert posixpath.normpath(path) == path
        assert not {"", ".."} & set(path.split("/"))


@given(st.binary(max_size=3000))
def test_any_bytes_are_an_archive_or_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        unpacked(data)


@given(where=st.integers(0, 10**9), value=st.integers(0, 255))
def test_a_changed_byte_never_escapes(where: int, value: int) -> None:
    data = bytearray(archives.tar({"a/b": b"1" * 600, "c": b"2"}))
    data[where % len(data)] = value
    try:
        memory = unpacked(bytes(data))
    except ArchiveError:
        return
    assert all(not path.startswith(("/", "..")) for path in memory.files)


def parents(name: str) -> set[str]:
    return {str(parent) for parent in pathlib.PurePosixPath(name).parents} - {"."}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))

"""What is unpacked, and what is refused with nothing left."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import pathlib
import pickle
import posixpath
import sys
import tarfile
import zlib
from collections.abc import Iterable
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubmodule._plain_errors import ArchiveDamagedError, ArchiveError, ArchiveRefusedError
from hubmodule.cache.manifest import FileRecord
from hubmodule.file_systems import FileSystem
from hubmodule.resolver import archive
from hubmodule.resolver.archive import unpack
from tests.resolver import archives

LIMITS = (100, 1 << 30)  # entries and bytes
COLLIDES = "collides with an earlier one, as this file system compares names"
OTHER_FORM = "has the same name as an earlier one, in another form of Unicode"
ADVICE = "Do not use this archive; a module packed with `tar -czf m.tar.gz -C <module> .` is fine."


class _File(io.BytesIO):
    def __init__(self, files: dict[str, bytes], path: str):
        super().__init__()
        self._files, self._path = files, path

    def close(self) -> None:
        self._files[self._path] = self.getvalue()
        super().close()


class Memory:
    """A file system in memory, on which "m" is an empty directory."""

    def __init__(self, ignores_case: bool = False) -> None:
        self.files: dict[str, bytes] = {}
        self.folders: set[str] = set()
        self._ignores_case = ignores_case

    def open_new(self, path: str) -> BinaryIO:
        path = path.removeprefix("m/")
        names = {name.lower() if self._ignores_case else name for name in self.files}
        if (path.lower() if self._ignores_case else path) in names | self._list_folders():
            raise FileExistsError(path)
        self._check_parents(path)
        return _File(self.files, path)

    def remove(self, path: str) -> None:
        del self.files[path.removeprefix("m/")]

    def make_directory(self, path: str) -> None:
        path = path.removeprefix("m/")
        self._check_parents(f"{path}/x")
        self.folders.add(path)

    def _check_parents(self, path: str) -> None:
        if parents(path) & self.files.keys():
            raise NotADirectoryError(path)

    def _list_folders(self) -> set[str]:
        return {"."}.union(self.folders, *(parents(name) for name in self.files))


def unpacked(data: bytes, limits: tuple[int, int] = LIMITS, size: int = 4096) -> Memory:
    memory = Memory()
    unpack_into(memory, cut(data, size), limits)
    return memory


def unpack_into(
    memory: Memory, pieces: Iterable[bytes], limits: tuple[int, int] = LIMITS
) -> list[FileRecord]:
    return unpack(pieces, cast(FileSystem, memory), "m", *limits)


def cut(data: bytes, size: int) -> Iterable[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def refusal(data: bytes, limits: tuple[int, int] = LIMITS) -> str:
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
    records = unpack_into(Memory(), [archives.tar({"a": b"abc", "b/c": b""})])
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
        (["a/b", "a"], COLLIDES),
        (["a/", "a"], COLLIDES),
        (["."], COLLIDES),
        (["a/.."], COLLIDES),
        (["a", "a/b"], COLLIDES),
        (["a", "a/"], COLLIDES),
        (["\u00e9", "e\u0301"], OTHER_FORM),
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
    records = unpack_into(memory, [out.getvalue()])
    assert memory.files == {"a/b": b"new", "c": b"1"}
    assert [(record.path, record.size) for record in records] == [("a/b", 3), ("c", 1)]


def test_names_that_collide_on_this_file_system() -> None:
    with pytest.raises(ArchiveRefusedError) as caught:
        unpack_into(Memory(ignores_case=True), [archives.tar({"A": b"", "a": b""})])
    assert str(caught.value) == (f"The archive is refused: its entry 'a' {COLLIDES}. {ADVICE}")


def test_names_that_differ_in_case_are_two() -> None:
    assert unpacked(archives.tar({"A": b"1", "a": b"2"})).files == {"A": b"1", "a": b"2"}


def test_too_many_entries() -> None:
    data = archives.tar({str(number): b"" for number in range(11)})
    assert len(unpacked(data, (11, 1 << 20)).files) == 11
    assert refusal(data, (10, 1 << 20)) == (
        "The archive is refused: it has more than 10 entries. If you trust it, set "
        "HUBMODULE_MAX_ARCHIVE_ENTRIES to more."
    )


def test_too_many_bytes() -> None:
    data = archives.tar({"a": bytes(30_000)})
    assert len(unpacked(data, (1, len(data))).files) == 1
    assert refusal(data, (1, len(data) - 1)) == (
        f"The archive is refused: it unpacks to more than {len(data) - 1} bytes. If you trust it, "
        "set HUBMODULE_MAX_ARCHIVE_BYTES to more."
    )


def test_a_bomb_of_zeros_after_the_end() -> None:
    assert "more than 20000 bytes" in refusal(archives.tar({"a": b""}) + bytes(30_000), (1, 20_000))


def test_a_long_long_name() -> None:
    data = archives.tar_of("x", bytes(2 << 20), tarfile.GNUTYPE_LONGNAME)
    assert refusal(data) == (
        f"The archive is refused: it has a name or attributes of more than 1048576 bytes. {ADVICE}"
    )


def test_no_file_in_it() -> None:
    expected = "The archive holds no file; pack the module again."
    assert damage(archives.tar({})) == expected
    assert damage(archives.tar({}, folders=["assets"])) == expected


CUT_OFF = "The archive is cut off: its tar ends in the middle."


@pytest.mark.parametrize("length", [511, 512, 513, 600, 1023, 1024, 1100])
def test_cut_off(length: int) -> None:
    assert damage(archives.tar({"a": b"b" * 100, "c": b"d"})[:length]) == CUT_OFF


def test_the_mark_of_the_end_may_be_missing_if_a_checksum_vouches_for_it() -> None:
    data = archives.tar({"a": b"1"})[:1024]
    assert damage(data) == CUT_OFF
    assert unpacked(gzip.compress(data)).files == {"a": b"1"}


def test_something_follows_the_end() -> None:
    assert damage(archives.tar({"a": b"1"}) + b"x") == (
        "The archive is damaged: something follows the end of the tar in it."
    )


def test_a_damaged_header_is_not_the_end() -> None:
    data = bytearray(archives.tar({"a": b"1", "b": b"2"}))
    data[1024 + 3] ^= 1
    assert damage(bytes(data)).startswith("The archive is damaged: a header in it is corrupt (")


@pytest.mark.parametrize("size", ["-1", "1e3", "9" * 30])
def test_damaged_sizes(size: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        header = tarfile.TarInfo("x")
        header.pax_headers = {"size": size}
        archive.addfile(header, io.BytesIO())
    data = out.getvalue()
    # What tarfile takes for a size of zero leaves content that is not a header.
    assert damage(data[:1536] + b"content".ljust(512, b"\0") + data[1536:])


def test_a_negative_size() -> None:
    header = bytearray(archives.tar_of("x")[:512])
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    assert damage(bytes(header) + bytes(1024)) == (
        "The archive is damaged: something in it has the size -1."
    )


FORMATS = {"gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
NOISE = bytes(range(256)) * 20


@pytest.fixture(params=["isal", "zlib"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decompresses gzip with each library."""
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("size", [7, 1 << 20])
def test_compressed(library: None, name: str, size: int) -> None:
    data = FORMATS[name](archives.tar())
    assert unpacked(data, size=size).files == archives.MODULE


@pytest.mark.parametrize("name", FORMATS)
def test_compressed_in_several_streams(library: None, name: str) -> None:
    pack, data = FORMATS[name], archives.tar()
    assert unpacked(pack(data[:5000]) + pack(data[5000:])).files == archives.MODULE


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("size", [7, 1 << 20])
def test_zeros_may_follow(library: None, name: str, size: int) -> None:
    data = FORMATS[name](archives.tar()) + bytes(1000)
    assert unpacked(data, size=size).files == archives.MODULE


def test_compressed_twice() -> None:
    data = gzip.compress(bz2.compress(archives.tar()))
    assert unpacked(data).files == archives.MODULE
    assert damage(gzip.compress(data)) == (
        "Not an archive: more than 2 nested layers of compression."
    )


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_else_may_follow(library: None, name: str) -> None:
    assert damage(FORMATS[name](archives.tar()) + b"more") == (
        f"The archive is damaged: something that is not {name} follows its end."
    )


def test_pieces_are_small_however_well_they_were_packed(library: None) -> None:
    data = FORMATS["gzip"](bytes(10 * archive.PIECE))
    sizes = [len(piece) for piece in archive.decompress("gzip", [data])]
    assert sum(sizes) == 10 * archive.PIECE
    assert max(sizes) <= archive.PIECE


def test_zlib_serves_where_isal_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    assert archive.get_zlib() is zlib


def test_the_start_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(archive.NotAnArchiveError("no", b"start")))
    assert (str(error), error.start) == ("no", b"start")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("missing", [1, 4, 8, 9, 100])
def test_compressed_data_that_are_cut_off(library: None, name: str, missing: int) -> None:
    data = FORMATS[name](archives.tar({"noise": NOISE}))
    assert damage(data[:-missing]) == (
        f"The archive is cut off: its {name} data end before their checksum."
    )


@pytest.mark.parametrize("where", [-1, -5, -8])
def test_a_changed_byte_is_noticed(library: None, where: int) -> None:
    data = bytearray(gzip.compress(archives.tar()))
    data[where] ^= 1
    assert damage(bytes(data)).startswith("The archive is damaged: its gzip data are corrupt (")


@given(where=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_no_changed_bit_yields_other_files(where: int, bit: int) -> None:
    data = bytearray(gzip.compress(archives.tar(), mtime=0))
    data[where % len(data)] ^= 1 << bit
    try:
        memory = unpacked(bytes(data))
    except ArchiveDamagedError:
        return
    # Only what gzip's checksum does not cover, such as its time stamp, may change.
    assert memory.files == archives.MODULE


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The archive is empty: not a single byte came."),
        (
            b"PK\x03\x04" + bytes(600),
            f"Not an archive: it begins with {b'PK' + bytes([3, 4]) + bytes(20)!r}, not like a "
            "tar, gzip, bz2 or xz.",
        ),
        (
            gzip.compress(b"a saved model", mtime=0),
            "Not an archive: it begins with b'a saved model', not like a tar, gzip, bz2 or xz.",
        ),
    ],
)
def test_not_an_archive(data: bytes, message: str) -> None:
    assert damage(data) == message


def test_a_tar_from_before_posix() -> None:
    block = bytearray(archives.tar({"a": b"b"}))
    block[257:265] = bytes(8)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    assert unpacked(bytes(block)).files == {"a": b"b"}


def test_a_bomb_of_numbers_in_a_sparse_header() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        header = tarfile.TarInfo("x")
        header.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
        header.size = 4 << 20
        archive.addfile(header, io.BytesIO(b"9" * 7 + b"\n" + b"1\n" * (2 << 20)))
    assert "has a name or attributes of more than 1048576 bytes" in refusal(out.getvalue())


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
        unpack_into(memory, [out.getvalue()])
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

"""What comes out of compressed bytes, and what they must not end with."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import random
import sys
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubmodule._plain_errors import ArchiveDamagedError
from hubmodule.resolver import decompress
from hubmodule.resolver.decompress import NotAnArchiveError
from tests.resolver import archives

TAR = archives.tar({"noise": random.Random(0).randbytes(70_000), "zeros": bytes(3 << 20)})
FORMATS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.fixture(params=["zlib", "isal"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both libraries that inflate."""
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    return request.param


def pieces(data: bytes, size: int = 1 << 18) -> list[bytes]:
    chunks = (data[start : start + size] for start in range(0, len(data), size))
    return list(decompress.tar_pieces(chunks).pieces)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("size", [1000, 4096, 1 << 18, 1 << 30])
def test_the_tar_comes_out(library: str, name: str, size: int) -> None:
    assert b"".join(pieces(FORMATS[name](TAR), size)) == TAR


def test_one_byte_at_a_time(library: str) -> None:
    small = archives.tar()
    assert b"".join(pieces(gzip.compress(small), 1)) == small


def test_a_plain_tar_stays_as_it_is() -> None:
    result = decompress.tar_pieces([TAR])
    assert (b"".join(result.pieces), result.checked) == (TAR, False)


@pytest.mark.parametrize("pack", FORMATS.values(), ids=list(FORMATS))
def test_a_checksum_vouches_for_what_is_compressed(pack: Callable[[bytes], bytes]) -> None:
    assert decompress.tar_pieces([pack(TAR)]).checked


def test_pieces_are_small_however_well_they_were_packed(library: str) -> None:
    sizes = {len(piece) for piece in pieces(gzip.compress(TAR))}
    assert max(sizes) <= decompress.PIECE


def test_a_tar_that_a_server_compressed_again() -> None:
    assert b"".join(pieces(gzip.compress(gzip.compress(TAR)))) == TAR


def test_a_tar_that_was_compressed_for_ever() -> None:
    data = gzip.compress(gzip.compress(gzip.compress(TAR)))
    with pytest.raises(NotAnArchiveError) as caught:
        pieces(data)
    assert str(caught.value) == "It is no archive: it was compressed again and again."


@pytest.mark.parametrize("name", FORMATS)
def test_several_streams_in_a_row(library: str, name: str) -> None:
    pack = FORMATS[name]
    assert b"".join(pieces(pack(TAR[:99_000]) + pack(TAR[99_000:]))) == TAR


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("size", [7, 1 << 20])
def test_zeros_may_follow(library: str, name: str, size: int) -> None:
    small = archives.tar()
    assert b"".join(pieces(FORMATS[name](small) + bytes(1000), size)) == small


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_else_may_follow(library: str, name: str) -> None:
    with pytest.raises(ArchiveDamagedError) as caught:
        pieces(FORMATS[name](TAR) + b"more")
    assert str(caught.value) == (
        f"The archive is damaged: something that is not {name} follows its end."
    )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("missing", [1, 4, 8, 9, 1000])
def test_cut_off(library: str, name: str, missing: int) -> None:
    with pytest.raises(ArchiveDamagedError) as caught:
        pieces(FORMATS[name](TAR)[:-missing])
    assert str(caught.value) == (
        f"The archive is cut off: its {name} data end before their checksum."
    )


@pytest.mark.parametrize("where", [-1, -5, -8])
def test_a_changed_byte_is_noticed(library: str, where: int) -> None:
    data = bytearray(gzip.compress(TAR))
    data[where] ^= 1
    with pytest.raises(ArchiveDamagedError) as caught:
        pieces(bytes(data))
    assert str(caught.value).startswith("The archive is damaged: its gzip data are corrupt (")


@given(where=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_no_changed_bit_yields_another_tar(where: int, bit: int) -> None:
    small = archives.tar()
    data = bytearray(gzip.compress(small, mtime=0))
    data[where % len(data)] ^= 1 << bit
    try:
        got = b"".join(pieces(bytes(data)))
    except ArchiveDamagedError:
        return
    # Only what gzip's checksum does not cover, such as its time stamp, may change.
    assert got == small


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The archive is empty: not a single byte came."),
        (
            b"<!DOCTYPE html><html>",
            "It is no archive: it begins with b'<!DOCTYPE html><html>', not like a tar, gzip, bz2 "
            "or xz.",
        ),
        (
            b"PK\x03\x04" + bytes(600),
            f"It is no archive: it begins with {b'PK' + bytes([3, 4]) + bytes(20)!r}, not like a "
            "tar, gzip, bz2 or xz.",
        ),
        (
            gzip.compress(b"a saved model", mtime=0),
            "It is no archive: it begins with b'a saved model', not like a tar, gzip, bz2 or xz.",
        ),
    ],
)
def test_what_is_no_archive(data: bytes, message: str) -> None:
    with pytest.raises(NotAnArchiveError) as caught:
        pieces(data)
    assert str(caught.value) == message


def test_a_tar_from_before_posix() -> None:
    block = bytearray(archives.tar({"a": b"b"}))
    block[257:265] = bytes(8)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    assert b"".join(pieces(bytes(block))) == bytes(block)


def test_a_tar_without_entries_is_one() -> None:
    assert b"".join(pieces(bytes(10_240))) == bytes(10_240)


def test_the_start_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(NotAnArchiveError("no", b"start")))
    assert (str(error), error.start) == ("no", b"start")


def test_zlib_serves_where_isal_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    assert decompress.inflating_library() is zlib


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
